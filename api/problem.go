package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"eyebolt/control"
)

// problem is an error as RFC 9457 tells it, with our one word.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Reason string `json:"reason" doc:"one stable word"`
	Detail string `json:"detail" doc:"one sentence that says what to do next"`
}

// Error and GetStatus make it huma's.
func (p *problem) Error() string  { return p.Reason + ": " + p.Detail }
func (p *problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *problem) ContentType(string) string { return "application/problem+json" }

var statusOf = map[control.Class]int{
	control.Internal: http.StatusInternalServerError, control.Invalid: http.StatusUnprocessableEntity, control.Nobody: http.StatusUnauthorized,
	control.Forbidden: http.StatusForbidden, control.NotFound: http.StatusNotFound, control.Conflict: http.StatusConflict,
	control.TooMany: http.StatusTooManyRequests, control.Unavailable: http.StatusServiceUnavailable,
}

func problemOf(err error) *problem {
	e := control.AsError(err)
	status := statusOf[e.Class]
	return &problem{Status: status, Title: http.StatusText(status), Reason: e.Reason, Detail: e.Sentence}
}

func (p *problem) json() []byte {
	b, err := json.Marshal(p)
	if err != nil { // words and a number always marshal
		return []byte("{}")
	}
	return b
}

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.json()) // the client has gone
}

// inOurForm gives the library's own refusals (a body that does not fit its schema) the same form. What was sent is not sent
// back: it may be a credential.
func inOurForm(_ huma.Context, status string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		n = m.Status
	}
	p := &problem{Status: n, Title: http.StatusText(n), Reason: "invalid", Detail: "The request is not as this call wants it"}
	switch n {
	case http.StatusRequestEntityTooLarge:
		p.Reason, p.Detail = "too-large", "The request is too large."
		return p, nil
	case http.StatusInternalServerError:
		p.Reason, p.Detail = "internal", "Something failed on our side. Try again; if it goes on, tell whoever runs the service."
		return p, nil
	}
	var more []string
	for _, e := range m.Errors {
		if len(more) < 5 {
			more = append(more, e.Location+": "+e.Message)
		}
	}
	if len(more) > 0 {
		p.Detail += " (" + strings.Join(more, "; ") + ")"
	}
	p.Detail += ". See /openapi.json."
	return p, nil
}

// rawJSON is a JSON object that is passed on as it came.
type rawJSON []byte

// UnmarshalJSON keeps the bytes.
func (r *rawJSON) UnmarshalJSON(b []byte) error { *r = append((*r)[:0], b...); return nil }

// MarshalJSON gives them back.
func (r rawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// Schema says that it may hold anything.
func (r rawJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}
