package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"eyebolt/control"
)

type ByDoor struct {
	Hub  string `path:"hub" maxLength:"64"`
	Door string `path:"door" maxLength:"64"`
}

type homeIn struct {
	ByDoor
	Body struct {
		On bool `json:"on"`
	}
}

type ackIn struct {
	ByDoor
	Body struct {
		Alarms []string `json:"alarms" minItems:"1" maxItems:"32" doc:"the IDs of the alarms that were shown: the alarms' id, and the door's view's alarm_id"`
	}
}

type holdIn struct {
	ByDoor
	Body struct {
		What string `json:"what" maxLength:"32" doc:"pets, alarm, home or other"`
		On   bool   `json:"on"`
	}
}

type pairIn struct {
	Body struct {
		Hub  string `json:"hub" maxLength:"64"`
		Code string `json:"code" maxLength:"100"`
		Key  string `json:"key,omitempty" maxLength:"1400" doc:"credential ID of the passkey to pair; default: the one that signed in"`
	}
}

type consentAsk struct {
	Hub      string    `query:"hub" maxLength:"64"`
	Door     string    `query:"door" maxLength:"64"`
	Carrier  string    `query:"carrier" maxLength:"64"`
	Until    time.Time `query:"until"`
	Days     uint8     `query:"days"`
	StartMin uint16    `query:"start_min"`
	EndMin   uint16    `query:"end_min"`
}

type consentDraft struct {
	Document    string   `json:"document" doc:"base64url; what is signed is its hash"`
	Challenge   string   `json:"challenge" doc:"base64url"`
	Credentials []string `json:"credentials" doc:"any one of them may sign"`
}

type consentIn struct {
	Body struct {
		Document   string  `json:"document" maxLength:"16384"`
		Credential rawJSON `json:"credential"`
	}
}

// ByID is exported because huma reads embedded parameters only then; so are ByDoor and ByDelivery.
type ByID struct {
	ID string `path:"id" maxLength:"128"`
}

type liveIn struct {
	ByDoor
	Body struct {
		SDP    string `json:"sdp" maxLength:"60000"`
		Viewer string `json:"viewer" maxLength:"128"`
	}
}

var b64 = base64.RawURLEncoding

// unb64 takes both alphabets, with padding or without: browsers' libraries differ.
func unb64(s string) ([]byte, error) {
	raw, err := b64.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "="))
	if err != nil {
		return nil, &control.Error{Reason: "invalid", Sentence: "A binary value is not base64url. Reload the page.", Class: control.Invalid}
	}
	return raw, nil
}

// carry sends an order to its hub and waits for the answer.
func (s *server) carry(ctx context.Context, o control.Order, err error) (control.AskReply, error) {
	if err != nil {
		return control.AskReply{}, err
	}
	if o.ID == "" { // done here, no hub is needed
		return control.AskReply{OK: true}, nil
	}
	return s.Hubs.Do(ctx, o)
}

func (s *server) resident(h huma.API) {
	call(s, h, http.MethodGet, "/api/home", "A resident's page", func(ctx context.Context, now time.Time, who control.Account, _ *none) (control.Home, error) {
		return s.Service.Home(ctx, now, who)
	})
	call(s, h, http.MethodPost, "/api/home/pair", "Tie this account's passkey to a hub by the hub's code", s.pair)
	call(s, h, http.MethodGet, "/api/home/consent", "The document that lets a carrier deliver inside, to be signed", s.draft)
	call(s, h, http.MethodPost, "/api/home/consent", "The signed document", s.consent)
	call(s, h, http.MethodDelete, "/api/home/consent/{id}", "Take a consent back", func(ctx context.Context, now time.Time, who control.Account, in *ByID) (none, error) {
		return none{}, s.Service.EndConsent(ctx, now, who, in.ID)
	})
	fresh(s, h, http.MethodPost, "/api/home/invites", "Invite one more resident of this household", func(ctx context.Context, now time.Time, who control.Account, _ *none) (inviteOut, error) {
		code, err := s.Service.InviteResident(ctx, now, who)
		return inviteOut{code}, err
	})
	for what, summary := range map[string]string{
		"block": "Let nobody in", "unblock": "Lift the block", "lock": "Throw the bolt now", "leave": "Send the courier out",
	} {
		call(s, h, http.MethodPost, "/api/doors/{hub}/{door}/"+what, summary, func(ctx context.Context, now time.Time, who control.Account, in *ByDoor) (control.AskReply, error) {
			if err := s.vouchedIf(ctx, now, what == "unblock"); err != nil {
				return control.AskReply{}, err
			}
			o, err := s.Service.Order(ctx, now, who, in.Hub, in.Door, control.Wish{What: what})
			return s.carry(ctx, o, err)
		})
	}
	fresh(s, h, http.MethodPost, "/api/doors/{hub}/{door}/ack", "These alarms were seen", func(ctx context.Context, now time.Time, who control.Account, in *ackIn) (control.AskReply, error) {
		o, err := s.Service.Order(ctx, now, who, in.Hub, in.Door, control.Wish{What: "ack", Alarms: in.Body.Alarms})
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/doors/{hub}/{door}/home", "Home or away", func(ctx context.Context, now time.Time, who control.Account, in *homeIn) (control.AskReply, error) {
		if err := s.vouchedIf(ctx, now, in.Body.On); err != nil {
			return control.AskReply{}, err
		}
		o, err := s.Service.Order(ctx, now, who, in.Hub, in.Door, control.Wish{What: "home", On: in.Body.On})
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/doors/{hub}/{door}/hold", "Hold the door for a condition of the household", func(ctx context.Context, now time.Time, who control.Account, in *holdIn) (control.AskReply, error) {
		if err := s.vouchedIf(ctx, now, !in.Body.On); err != nil {
			return control.AskReply{}, err
		}
		o, err := s.Service.Order(ctx, now, who, in.Hub, in.Door, control.Wish{What: "hold", Text: in.Body.What, On: in.Body.On})
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/doors/{hub}/{door}/live", "Look at the door, end to end", s.live)
	call(s, h, http.MethodGet, "/api/visits/{id}", "A visit and its timeline", func(ctx context.Context, _ time.Time, who control.Account, in *ByID) (control.VisitPage, error) {
		return s.Service.Visit(ctx, who, in.ID)
	})
	fresh(s, h, http.MethodPost, "/api/visits/{id}/close", "The incident was read", func(ctx context.Context, now time.Time, who control.Account, in *ByID) (control.AskReply, error) {
		o, err := s.Service.Close(ctx, now, who, in.ID)
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodGet, "/api/home/checkpoint/{id}", "The newest signed checkpoint of a hub's record that the service holds, for `eyebolt verify --checkpoint`", s.checkpoint)
}

// pair ties the passkey that signed in, unless another of the account's is named. A refusal of the hub is a problem.
func (s *server) pair(ctx context.Context, now time.Time, who control.Account, in *pairIn) (control.AskReply, error) {
	key := in.Body.Key
	if key == "" {
		key = s.sessions.GetString(ctx, passkeyKey)
	}
	if key == "" { // signed in without one
		keys, err := s.Service.PasskeysOf(ctx, who.ID)
		if err != nil {
			return control.AskReply{}, err
		}
		for _, k := range keys {
			key = k.ID // oldest first: the newest stays
		}
	}
	o, err := s.Service.Pair(ctx, now, who, in.Body.Hub, in.Body.Code, key)
	r, err := s.carry(ctx, o, err)
	if err == nil && !r.OK {
		err = &control.Error{Reason: r.Reason, Sentence: r.Sentence, Class: control.Conflict}
	}
	return r, err
}

func (s *server) draft(ctx context.Context, now time.Time, who control.Account, in *consentAsk) (consentDraft, error) {
	d, err := s.Service.DraftConsent(ctx, now, who, control.ConsentWish{
		Hub: in.Hub, Door: in.Door, Carrier: in.Carrier, Until: in.Until, Days: in.Days, StartMin: in.StartMin, EndMin: in.EndMin,
	})
	if err != nil {
		return consentDraft{}, err
	}
	out := consentDraft{Document: b64.EncodeToString(d.Document), Challenge: b64.EncodeToString(d.Challenge), Credentials: []string{}}
	for _, k := range d.Credentials {
		out.Credentials = append(out.Credentials, k.ID)
	}
	return out, nil
}

func (s *server) consent(ctx context.Context, now time.Time, who control.Account, in *consentIn) (control.ConsentLine, error) {
	doc, err := unb64(in.Body.Document)
	if err != nil {
		return control.ConsentLine{}, err
	}
	c, err := s.Service.SignConsent(ctx, now, who, doc, in.Body.Credential)
	return control.ConsentLine{ID: c.ID, Hub: c.Hub, Door: c.Door, Carrier: c.Carrier, State: "signed", Until: &c.Until}, err
}

// live passes an offer to the hub and the answer back; neither is looked into (S17).
func (s *server) live(ctx context.Context, _ time.Time, who control.Account, in *liveIn) (rawJSON, error) {
	if err := s.Service.MayWatch(ctx, who, in.Hub, in.Door); err != nil {
		return nil, err
	}
	ask := map[string]any{"door": in.Door, "viewer": in.Body.Viewer, "sdp": in.Body.SDP}
	if s.ICE != nil {
		ice, err := s.ICE("hub " + in.Hub)
		if err != nil {
			return nil, err
		}
		if len(ice) > 0 {
			ask["relay"] = map[string]string{"username": ice[0].Username, "credential": ice[0].Credential}
		}
	}
	offer, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	answer, err := s.Hubs.Live(ctx, in.Hub, offer)
	if err != nil {
		return nil, err
	}
	var refused struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &refused) == nil && refused.Error != "" {
		return nil, &control.Error{Reason: "no-live-view", Sentence: refused.Error, Class: control.Unavailable}
	}
	return answer, nil
}

type checkpointOut struct {
	Note string `json:"note" doc:"C2SP signed checkpoint"`
}

func (s *server) checkpoint(ctx context.Context, _ time.Time, who control.Account, in *ByID) (checkpointOut, error) {
	note, err := s.Service.Held(ctx, who, in.ID)
	return checkpointOut{Note: string(note)}, err
}
