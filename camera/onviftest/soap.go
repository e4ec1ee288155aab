package onviftest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
)

// envelope is what a request says, as far as the camera reads it.
type envelope struct {
	Header struct {
		Security struct {
			Token struct {
				Username string
				Password string
				Nonce    string
				Created  string
			} `xml:"UsernameToken"`
		}
		Subscription string `xml:"SubscriptionId"`
	}
	Body struct {
		Inner string `xml:",innerxml"`
	}
	op request
}

// request is the body's one element.
type request struct {
	XMLName        xml.Name
	ProfileToken   string
	Timeout        string
	MessageLimit   int
	SearchToken    string
	RecordingToken string
	MaxResults     int

	InitialTerminationTime string
	TerminationTime        string
}

const spaces = `xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" ` +
	`xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" ` +
	`xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" ` +
	`xmlns:tse="http://www.onvif.org/ver10/search/wsdl" xmlns:trp="http://www.onvif.org/ver10/replay/wsdl" xmlns:ter="http://www.onvif.org/ver10/error" ` +
	`xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:dom0="urn:onviftest"`

func (d *Device) soap(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var e envelope
	if err == nil {
		err = xml.Unmarshal(b, &e)
	}
	if err == nil {
		err = xml.Unmarshal([]byte(e.Body.Inner), &e.op)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := e.op.XMLName.Local
	free := !d.set.Strict && (name == "GetSystemDateAndTime" || name == "GetServices" || name == "GetCapabilities")
	if !free && !d.allowed(w, r, &e) {
		return
	}
	reply, ok := d.answer(r, &e)
	d.mu.Lock()
	d.asked[name]++
	d.bodies[name] = e.Body.Inner
	alter := d.alter
	d.mu.Unlock()
	if alter != nil {
		reply = alter(name, reply)
	}
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
	}
	if !strings.HasPrefix(reply, "<?raw?>") {
		reply = wrap(reply)
	}
	_, _ = io.Copy(w, strings.NewReader(strings.TrimPrefix(reply, "<?raw?>")))
}

func wrap(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ` + spaces + `><s:Header/><s:Body>` + body + `</s:Body></s:Envelope>`
}

func fault(code, reason string) string {
	return `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>` + code + `</s:Value></s:Subcode></s:Code>` +
		`<s:Reason><s:Text xml:lang="en">` + html.EscapeString(reason) + `</s:Text></s:Reason></s:Fault>`
}

func (d *Device) allowed(w http.ResponseWriter, r *http.Request, e *envelope) bool {
	if d.set.Way == Open {
		return true
	}
	if d.set.Way != Token {
		return d.httpAllowed(w, r)
	}
	right, asked, late := d.token(e)
	right, locked := d.credit(right, asked && !late)
	if right {
		return true
	}
	reply := fault("ter:NotAuthorized", "Sender not authorized")
	switch {
	case locked:
		reply = fault("ter:NotAuthorized", "The account is locked")
	case late:
		reply = fault("wsse:MessageExpired", "The security token has expired")
	}
	w.Header().Set("Content-Type", "application/soap+xml")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, wrap(reply))
	return false
}

// answer gives the body of the reply.
func (d *Device) answer(r *http.Request, e *envelope) (string, bool) {
	name, now := e.op.XMLName.Local, d.now()
	media2 := strings.Contains(e.op.XMLName.Space, "ver20/media")
	switch name {
	case "GetSystemDateAndTime":
		return fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>`+
			`<tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime>`+
			`</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`, now.Hour(), now.Minute(), now.Second(), now.Year(), now.Month(), now.Day()), true
	case "GetServices":
		return "<tds:GetServicesResponse>" + d.services() + "</tds:GetServicesResponse>", true
	case "GetDeviceInformation":
		return `<tds:GetDeviceInformationResponse><tds:Manufacturer>Eyebolt</tds:Manufacturer><tds:Model>Test camera</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>` +
			`<tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`, true
	case "GetProfiles":
		return d.profiles(media2), true
	case "GetStreamUri", "GetSnapshotUri", "SetSynchronizationPoint":
		return d.ofProfile(e, name, media2)
	case "CreatePullPointSubscription", "PullMessages", "Renew", "Unsubscribe":
		if !d.set.NoEvents {
			return d.events(r, e, name)
		}
	case "GetEventProperties":
		if !d.set.NoEvents {
			return properties, true
		}
	case "FindRecordings", "GetRecordingSearchResults", "GetRecordingInformation", "EndSearch", "GetReplayUri":
		if len(d.set.Kept) > 0 {
			return d.storage(e, name)
		}
	}
	return fault("ter:ActionNotSupported", name+" is not implemented"), false
}

// properties is what it says it can tell, as a tree of WS-Topics.
const properties = `<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet>` +
	`<wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"><tns1:VideoSource><ImageTooDark><ImagingService wstop:topic="true"><tt:MessageDescription IsProperty="true"><tt:Source><tt:SimpleItemDescription Name="Source" Type="tt:ReferenceToken"/></tt:Source>` +
	`<tt:Data><tt:SimpleItemDescription Name="State" Type="xsd:boolean"/></tt:Data></tt:MessageDescription></ImagingService></ImageTooDark></tns1:VideoSource><tns1:RuleEngine><TamperDetector><Tamper wstop:topic="true"/></TamperDetector>` +
	`<CellMotionDetector><Motion wstop:topic="true"/></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet><wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet</wsnt:TopicExpressionDialect>` +
	`<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect><tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation></tev:GetEventPropertiesResponse>`

func (d *Device) services() string {
	var b strings.Builder
	add := func(namespace, path string) {
		fmt.Fprintf(&b, `<tds:Service><tds:Namespace>%s</tds:Namespace><tds:XAddr>http://%s/onvif/%s</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`, namespace, d.host(), path)
	}
	add("http://www.onvif.org/ver10/device/wsdl", "device_service")
	add("http://www.onvif.org/ver10/media/wsdl", "media")
	if d.set.Media2 {
		add("http://www.onvif.org/ver20/media/wsdl", "media2")
	}
	if !d.set.NoEvents {
		add("http://www.onvif.org/ver10/events/wsdl", "events")
	}
	if len(d.set.Kept) > 0 {
		add("http://www.onvif.org/ver10/recording/wsdl", "recording")
		add("http://www.onvif.org/ver10/search/wsdl", "search")
		add("http://www.onvif.org/ver10/replay/wsdl", "replay")
	}
	return b.String()
}

func (d *Device) profiles(media2 bool) string {
	var b bytes.Buffer
	for _, p := range d.set.Profiles {
		if media2 {
			fmt.Fprintf(&b, `<tr2:Profiles token="%s" fixed="true"><tr2:Name>%s</tr2:Name><tr2:Configurations><tr2:VideoSource token="vsc"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>%s</tt:SourceToken>`+
				`<tt:Bounds x="0" y="0" width="1920" height="1080"/></tr2:VideoSource><tr2:VideoEncoder token="vec" GovLength="%d" Profile="Main" Signed="%v"><tt:Name>e</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>%s</tt:Encoding>%s`+
				`<tt:RateControl><tt:FrameRateLimit>%d</tt:FrameRateLimit><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>`,
				p.Token, p.Token, p.Source, p.GOP, p.Signed, p.Encoding, p.resolution(), p.FPS)
			continue
		}
		encoding := p.Encoding
		if encoding == "H265" {
			continue // Media has no word for it
		}
		fmt.Fprintf(&b, `<trt:Profiles token="%s" fixed="true"><tt:Name>%s</tt:Name><tt:VideoSourceConfiguration token="vsc"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>%s</tt:SourceToken>`+
			`<tt:Bounds x="0" y="0" width="1920" height="1080"/></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="vec"><tt:Name>e</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>%s</tt:Encoding>%s<tt:Quality>4</tt:Quality>`+
			`<tt:RateControl><tt:FrameRateLimit>%d</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>`+
			`<tt:H264><tt:GovLength>%d</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>`,
			p.Token, p.Token, p.Source, encoding, p.resolution(), p.FPS, p.GOP)
	}
	if media2 {
		return "<tr2:GetProfilesResponse>" + b.String() + "</tr2:GetProfilesResponse>"
	}
	return "<trt:GetProfilesResponse>" + b.String() + "</trt:GetProfilesResponse>"
}

func (d *Device) ofProfile(e *envelope, name string, media2 bool) (string, bool) {
	known := false
	for _, p := range d.set.Profiles {
		known = known || p.Token == e.op.ProfileToken
	}
	if !known {
		return fault("ter:NoProfile", "no profile of that token"), false
	}
	address := d.set.Stream
	switch {
	case name == "SetSynchronizationPoint":
		if media2 {
			return "<tr2:SetSynchronizationPointResponse/>", true
		}
		return "<trt:SetSynchronizationPointResponse/>", true
	case name == "GetSnapshotUri":
		if d.set.JPEG == nil {
			return fault("ter:ActionNotSupported", "no snapshots"), false
		}
		address = "http://" + d.host() + "/still.jpg"
	case address == "":
		host, _, _ := strings.Cut(d.host(), ":")
		address = "rtsp://" + host + ":554/" + e.op.ProfileToken
	case strings.Contains(address, "%s"):
		address = fmt.Sprintf(address, e.op.ProfileToken)
	}
	address = html.EscapeString(address)
	if media2 {
		return fmt.Sprintf("<tr2:%sResponse><tr2:Uri>%s</tr2:Uri></tr2:%sResponse>", name, address, name), true
	}
	return fmt.Sprintf("<trt:%sResponse><trt:MediaUri><tt:Uri>%s</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:%sResponse>", name, address, name), true
}
