package setup_test

import (
	"strings"
	"testing"

	"eyebolt/lock"
	"eyebolt/web/webtest"
)

// What nobody but a resident can tell about a lock is asked on the page, in words; the lock is asked at once, so that a mistake shows.
func TestThePageAsksAboutALock(t *testing.T) {
	h := pinHouse(t)
	b := h.browse(webtest.Shared(t).Page())
	b.press("Keypad lock")
	b.reads("About this lock")
	b.press("Continue")
	b.reads("A PIN code of this lock is missing.")
	b.Type(`input[name="answer-pin"]`, "12a")
	b.press("Keep it for the hub")
	b.reads("A PIN code is 4 to 32 digits and nothing else.")
	b.shot("setup-pin")
	b.Type(`input[name="answer-pin"]`, pin)
	b.press("Keep it for the hub")
	b.Wait(`document.querySelector('.had')?.innerText.includes('Typed') && !document.querySelector('input[name="answer-pin"]')`)
	h.set(func() { h.answer = lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, At: 400e6, Solicited: true} })
	b.press("Ask the lock where its bolt is")
	b.reads("It answered in 0.4 s: the bolt is thrown, the door is closed.")
	b.shot("setup-asked")
	var held bool
	b.Eval(`(document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href).includes("`+pin+`")`, &held)
	if held {
		t.Error("the page holds the PIN after it was sent")
	}

	// Another lock: one that is in no list.
	b.press("The lock speaks MQTT by itself")
	b.press("A strike of its own")
	b.reads("First, on the device")
	b.press("Continue")
	b.reads("Its topic is missing.")
	b.Type(`input[name="answer-topic"]`, "strike")
	b.reads("What opens the door")
	b.press("More settings")
	b.press("Ask the lock where its bolt is")
	b.reads("It answered in 0.4 s")
	b.shot("setup-family")
	b.press("Continue")
	b.reads("Which camera sees this door?")
	b.c.until("the draft", func(p page) bool { return p.Draft.Family == "strike" && p.Draft.Answers["topic"] == "strike" })
	for _, e := range b.Errors() {
		if !strings.Contains(e, "400") { // the refusal above
			t.Errorf("in the page: %s", e)
		}
	}
}
