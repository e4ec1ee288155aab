package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

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

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone
}

var problemsOnce sync.Once

// useProblems has huma's own refusals (a body that does not fit its schema) told in the same form.
func useProblems() {
	problemsOnce.Do(func() {
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
			p := &problem{Status: status, Title: http.StatusText(status), Reason: "invalid", Detail: msg}
			var more []string
			for _, err := range errs {
				if err != nil && len(more) < 5 {
					more = append(more, err.Error())
				}
			}
			if len(more) > 0 {
				p.Detail += ": " + strings.Join(more, "; ")
			}
			return p
		}
	})
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
