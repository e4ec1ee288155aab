package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"eyebolt/control"
)

type bookIn struct {
	Body struct {
		Household    string    `json:"household" maxLength:"64"`
		Hub          string    `json:"hub,omitempty" maxLength:"64"`
		Door         string    `json:"door" maxLength:"64"`
		Courier      string    `json:"courier,omitempty" maxLength:"64"`
		From         time.Time `json:"from"`
		Until        time.Time `json:"until"`
		Parcels      []string  `json:"parcels" minItems:"1" maxItems:"50"`
		Instructions string    `json:"instructions,omitempty" maxLength:"500"`
	}
}

type assignIn struct {
	ByID
	Body struct {
		Courier string `json:"courier" maxLength:"64"`
	}
}

type nameIn struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"80"`
	}
}

type courierOut struct {
	Courier string `json:"courier"`
	Invite  string `json:"invite"`
}

type screenIn struct {
	ByID
	Body struct {
		Status    string    `json:"status" enum:"pending,passed,failed"`
		Until     time.Time `json:"until,omitempty"`
		Reference string    `json:"reference,omitempty" maxLength:"200"`
	}
}

type inviteIn struct {
	Body struct {
		Role      string `json:"role" enum:"resident,operator"`
		Household string `json:"household,omitempty" maxLength:"64"`
	}
}

type inviteOut struct {
	Invite string `json:"invite"`
}

type householdIn struct {
	Body struct {
		ID       string `json:"id,omitempty" maxLength:"64"`
		Name     string `json:"name" maxLength:"80"`
		Address  string `json:"address" maxLength:"200"`
		Zone     string `json:"zone,omitempty" maxLength:"64" doc:"IANA name; UTC when empty"`
		SilenceS int    `json:"silence_s,omitempty" minimum:"0" maximum:"86400" doc:"how long its hubs may be silent outside visits"`
	}
}

type householdOut struct {
	Household string `json:"household"`
	Invite    string `json:"invite" doc:"for the first resident"`
}

type carrierOut struct {
	Carrier string `json:"carrier"`
	Invite  string `json:"invite" doc:"for its first operator"`
}

type hubIn struct {
	Body struct {
		ID        string `json:"id" maxLength:"64"`
		Household string `json:"household" maxLength:"64"`
		Nkey      string `json:"nkey" maxLength:"64" doc:"what the hub prints as its key"`
		Key       string `json:"key,omitempty" maxLength:"64" doc:"Ed25519 public key that signs live answers, base64url; default: the nkey's"`
		LedgerKey string `json:"ledger_key" maxLength:"200" doc:"the hub's hub.pub"`
	}
}

type newDoorIn struct {
	Body struct {
		Hub          string  `json:"hub" maxLength:"64"`
		Name         string  `json:"name" maxLength:"64"`
		Title        string  `json:"title,omitempty" maxLength:"80"`
		Instructions string  `json:"instructions,omitempty" maxLength:"500"`
		Place        *radius `json:"place,omitempty"`
	}
}

type radius struct {
	Lat    float64 `json:"lat" minimum:"-90" maximum:"90"`
	Lon    float64 `json:"lon" minimum:"-180" maximum:"180"`
	Metres float64 `json:"metres" minimum:"1" maximum:"10000"`
}

func (s *server) operator(h huma.API) {
	call(s, h, http.MethodGet, "/api/ops", "An operator's page", func(ctx context.Context, now time.Time, who control.Account, _ *none) (control.Ops, error) {
		return s.Service.Ops(ctx, now, who)
	})
	call(s, h, http.MethodPost, "/api/ops/deliveries", "Book a delivery", func(ctx context.Context, now time.Time, who control.Account, in *bookIn) (control.Delivery, error) {
		b := in.Body
		return s.Service.Book(ctx, now, who, control.Booking{
			Household: b.Household, Hub: b.Hub, Door: b.Door, Courier: b.Courier, From: b.From, Until: b.Until, Parcels: b.Parcels, Instructions: b.Instructions,
		})
	})
	call(s, h, http.MethodPost, "/api/ops/deliveries/{id}/assign", "Give a delivery to a screened courier", func(ctx context.Context, now time.Time, who control.Account, in *assignIn) (control.Delivery, error) {
		return s.Service.Assign(ctx, now, who, in.ID, in.Body.Courier)
	})
	call(s, h, http.MethodPost, "/api/ops/deliveries/{id}/cancel", "Cancel a delivery", func(ctx context.Context, now time.Time, who control.Account, in *ByID) (control.Delivery, error) {
		return s.Service.Cancel(ctx, now, who, in.ID)
	})
	fresh(s, h, http.MethodPost, "/api/ops/couriers", "Add a courier", func(ctx context.Context, now time.Time, who control.Account, in *nameIn) (courierOut, error) {
		c, code, err := s.Service.AddCourier(ctx, now, who, in.Body.Name)
		return courierOut{Courier: c.ID, Invite: code}, err
	})
	call(s, h, http.MethodPost, "/api/ops/couriers/{id}/screening", "How a courier's screening ended", func(ctx context.Context, now time.Time, who control.Account, in *screenIn) (control.Courier, error) {
		if in.Body.Status == control.ScreeningPassed { // any other keeps people out
			if err := s.vouched(ctx, now); err != nil {
				return control.Courier{}, err
			}
		}
		return s.Service.Screen(ctx, now, who, in.ID, in.Body.Status, in.Body.Until, in.Body.Reference)
	})
	call(s, h, http.MethodPost, "/api/ops/couriers/{id}/revoke", "End a courier", func(ctx context.Context, now time.Time, who control.Account, in *ByID) (control.Courier, error) {
		return s.Service.RevokeCourier(ctx, now, who, in.ID)
	})
	fresh(s, h, http.MethodPost, "/api/ops/invites", "Invite a resident or another operator", func(ctx context.Context, now time.Time, who control.Account, in *inviteIn) (inviteOut, error) {
		code, err := s.Service.Invite(ctx, now, who, control.Role(in.Body.Role), in.Body.Household)
		return inviteOut{code}, err
	})
	fresh(s, h, http.MethodPost, "/api/ops/households", "Set up a household", func(ctx context.Context, now time.Time, who control.Account, in *householdIn) (householdOut, error) {
		b := in.Body
		v, code, err := s.Service.CreateHousehold(ctx, now, who, control.Household{ID: b.ID, Name: b.Name, Address: b.Address, Zone: b.Zone, SilenceS: b.SilenceS})
		return householdOut{Household: v.ID, Invite: code}, err
	})
	fresh(s, h, http.MethodPost, "/api/ops/carriers", "Make another carrier and its signing key", func(ctx context.Context, now time.Time, who control.Account, in *nameIn) (carrierOut, error) {
		c, code, err := s.Service.CreateCarrier(ctx, now, who, in.Body.Name)
		return carrierOut{Carrier: c.ID, Invite: code}, err
	})
	fresh(s, h, http.MethodPost, "/api/ops/hubs", "Make a hub known", func(ctx context.Context, now time.Time, who control.Account, in *hubIn) (none, error) {
		b := in.Body
		key, err := unb64(b.Key)
		if err != nil {
			return none{}, err
		}
		_, err = s.Service.CreateHub(ctx, now, who, control.Hub{ID: b.ID, Household: b.Household, Nkey: b.Nkey, Key: key, LedgerKey: b.LedgerKey})
		return none{}, err
	})
	fresh(s, h, http.MethodPost, "/api/ops/doors", "Make a door of a hub known", func(ctx context.Context, _ time.Time, who control.Account, in *newDoorIn) (none, error) {
		b := in.Body
		d := control.Door{Hub: b.Hub, Name: b.Name, Title: b.Title, Instructions: b.Instructions}
		if b.Place != nil {
			d.Place = control.PlaceOf(b.Place.Lat, b.Place.Lon, b.Place.Metres)
		}
		_, err := s.Service.CreateDoor(ctx, who, d)
		return none{}, err
	})
}
