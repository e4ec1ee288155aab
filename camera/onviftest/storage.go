package onviftest

import (
	"fmt"
	"net"
)

// recording is the token of the one recording that it has.
const recording = "card-1"

func (d *Device) storage(e *envelope, name string) (string, bool) {
	first, last := d.set.Kept[0].At.Add(d.set.Clock), d.set.Kept[len(d.set.Kept)-1].At.Add(d.set.Clock)
	info := fmt.Sprintf(`<tt:RecordingToken>%s</tt:RecordingToken><tt:Source><tt:SourceId>urn:uuid:1</tt:SourceId><tt:Name>card</tt:Name><tt:Location>door</tt:Location><tt:Description>d</tt:Description><tt:Address>http://%s</tt:Address><tt:VideoSourceToken>%s</tt:VideoSourceToken></tt:Source>`+
		`<tt:EarliestRecording>%s</tt:EarliestRecording><tt:LatestRecording>%s</tt:LatestRecording><tt:Content>door</tt:Content>`+
		`<tt:Track><tt:TrackToken>AUDIO001</tt:TrackToken><tt:TrackType>Audio</tt:TrackType><tt:Description>a</tt:Description><tt:DataFrom>2001-01-01T00:00:00Z</tt:DataFrom><tt:DataTo>2001-01-02T00:00:00Z</tt:DataTo></tt:Track>`+
		`<tt:Track><tt:TrackToken>VIDEO001</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description>v</tt:Description><tt:DataFrom>%s</tt:DataFrom><tt:DataTo>%s</tt:DataTo></tt:Track><tt:RecordingStatus>Stopped</tt:RecordingStatus>`,
		recording, d.host(), d.set.Profiles[0].Source, stamp(first), stamp(last), stamp(first), stamp(last))
	switch name {
	case "FindRecordings":
		return "<tse:FindRecordingsResponse><tse:SearchToken>search-1</tse:SearchToken></tse:FindRecordingsResponse>", true
	case "GetRecordingSearchResults":
		if e.op.SearchToken != "search-1" {
			return fault("ter:InvalidToken", "no such search"), false
		}
		d.mu.Lock()
		early := d.asked[name] == 0
		d.mu.Unlock()
		if early { // it takes its time
			return "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Searching</tt:SearchState></tse:ResultList></tse:GetRecordingSearchResultsResponse>", true
		}
		return "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState><tt:RecordingInformation>" + info + "</tt:RecordingInformation></tse:ResultList></tse:GetRecordingSearchResultsResponse>", true
	case "GetRecordingInformation":
		return "<tse:GetRecordingInformationResponse><tse:RecordingInformation>" + info + "</tse:RecordingInformation></tse:GetRecordingInformationResponse>", true
	case "EndSearch":
		return "<tse:EndSearchResponse><tse:Endpoint>" + stamp(last) + "</tse:Endpoint></tse:EndSearchResponse>", true
	}
	if e.op.RecordingToken != recording {
		return fault("ter:InvalidToken", "no such recording"), false
	}
	_, port, _ := net.SplitHostPort(d.rtsp.Addr().String())
	host, _, _ := net.SplitHostPort(d.host())
	return fmt.Sprintf("<trp:GetReplayUriResponse><trp:Uri>rtsp://%s/replay?rec=%s</trp:Uri></trp:GetReplayUriResponse>", net.JoinHostPort(host, port), recording), true
}
