package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"eyebolt/control"
)

type stopsOut struct {
	Stops []control.Stop `json:"stops"`
}

type ByDelivery struct {
	Delivery string `path:"delivery" maxLength:"128"`
}

type arriveIn struct {
	ByDelivery
	Body struct {
		Parcel string `json:"parcel" maxLength:"128"`
		Place  *place `json:"place,omitempty"`
	}
}

// place is what the phone claims (T14).
type place struct {
	Lat      float64 `json:"lat" minimum:"-90" maximum:"90"`
	Lon      float64 `json:"lon" minimum:"-180" maximum:"180"`
	Accuracy float64 `json:"accuracy,omitempty" minimum:"0"`
}

type proofIn struct {
	ByDelivery
	Body struct {
		Credential rawJSON `json:"credential"`
	}
}

type cannotIn struct {
	ByDelivery
	Body struct {
		Why string `json:"why" maxLength:"32" doc:"nobody, dog, door, parcel, unsafe or other"`
	}
}

func (s *server) courier(h huma.API) {
	call(s, h, http.MethodGet, "/api/stops", "A courier's stops of today", func(ctx context.Context, now time.Time, who control.Account, _ *none) (stopsOut, error) {
		stops, err := s.Service.Stops(ctx, now, who)
		if stops == nil {
			stops = []control.Stop{}
		}
		return stopsOut{stops}, err
	})
	call(s, h, http.MethodPost, "/api/stops/{delivery}/arrive", "I am at the door, with this parcel", func(ctx context.Context, now time.Time, who control.Account, in *arriveIn) (control.AskReply, error) {
		var at *control.Place
		if p := in.Body.Place; p != nil {
			at = &control.Place{Lat: p.Lat, Lon: p.Lon, Accuracy: p.Accuracy}
		}
		o, err := s.Service.Arrive(ctx, now, who, in.Delivery, in.Body.Parcel, at)
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/stops/{delivery}/slide", "Slide to open: a passkey's answer to the hub's nonce", func(ctx context.Context, now time.Time, who control.Account, in *proofIn) (control.AskReply, error) {
		o, err := s.Service.Slide(ctx, now, who, in.Delivery, in.Body.Credential)
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/stops/{delivery}/out", "I am out: a passkey's answer", func(ctx context.Context, now time.Time, who control.Account, in *proofIn) (control.AskReply, error) {
		o, err := s.Service.Out(ctx, now, who, in.Delivery, in.Body.Credential)
		return s.carry(ctx, o, err)
	})
	call(s, h, http.MethodPost, "/api/stops/{delivery}/cannot", "Cannot deliver, and why", func(ctx context.Context, now time.Time, who control.Account, in *cannotIn) (control.AskReply, error) {
		under, err := s.Service.Under(ctx, now, who, in.Delivery)
		if err != nil {
			return control.AskReply{}, err
		}
		if !under {
			return s.Service.GiveUp(ctx, now, who, in.Delivery, in.Body.Why)
		}
		o, err := s.Service.Cannot(ctx, now, who, in.Delivery, in.Body.Why)
		return s.carry(ctx, o, err)
	})
}
