package person

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEventsAreReadWhole(t *testing.T) {
	stream := ": hello\n\nid: 7\nevent: view\ndata: {\"a\":\ndata: 1}\n\nevent: alarm\r\ndata: x\r\n\r\ndata: cut"
	var got []string
	err := readEvents(strings.NewReader(stream), func(e Event) { got = append(got, fmt.Sprintf("%s %s %s", e.ID, e.Type, e.Data)) })
	want := "7 view {\"a\":\n1}|7 alarm x"
	if strings.Join(got, "|") != want || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v; want %q and the end", got, err, want)
	}
}

func TestARefusalNamesItsReason(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"status":403,"reason":"screening-expired","detail":"Renew the screening."}`)
	}))
	defer srv.Close()
	p, err := New(srv.URL, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	var problem *Problem
	if err := p.Call(t.Context(), http.MethodGet, "/api/stops", nil, nil); !errors.As(err, &problem) || problem.Reason != "screening-expired" {
		t.Errorf("got %v, want a problem with its reason", err)
	}
}
