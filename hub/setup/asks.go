package setup

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"eyebolt/hub/gate"
	"eyebolt/lock"
)

// Question is something about a lock that its peer does not tell and a person of the home must.
type Question struct {
	Key      string // of its answer: a to z and hyphens
	Label    string
	Hint     string
	Propose  string   // stands there until something else is typed
	Choices  []Choice // not empty: the answer is one of these
	Optional bool     // no answer is one
	More     bool     // what is proposed is nearly always right: shown on demand
	// Secret says that the answer is kept as a password is. Pick.Answers has the path of its file.
	Secret bool
	// Fits says what is wrong with an answer, without repeating a secret one. nil: any is right.
	Fits func(answer string) error
}

// Choice is one of several answers.
type Choice struct{ Value, Label string }

// Family is a kind of lock that is in no list of a peer's, since it speaks for itself: what its owner knows it by, and what must be asked.
type Family struct {
	Key   string
	Name  string
	About string
	Steps []string // what to set on the device first
	Asks  []Question
	// Fits says what is wrong with the answers together. nil: nothing.
	Fits func(answers map[string]string) error
}

// answersMost bounds the answers about one lock.
const answersMost = 48

// questions are those about the lock that was picked.
func (p *peer) questions(family string, l lock.Device) []Question {
	if family != "" {
		if i := p.driver.family(family); i >= 0 {
			return p.driver.Families[i].Asks
		}
		return nil
	}
	if p.driver.Asks == nil {
		return nil
	}
	return p.driver.Asks(l)
}

func (d *Driver) family(key string) int {
	return slices.IndexFunc(d.Families, func(f Family) bool { return f.Key == key })
}

// secretKey is where a peer's secret answer about one of its locks is.
type secretKey struct{ lock, question string }

// answers gives what was answered, what was proposed where nothing was, and what is wrong with it. Of secrets it gives those that are there:
// Setup.plan and Setup.Try put files in their place. Setup.mu is held.
func (p *peer) answers(d Draft, all []Question) (answers, secrets map[string]string, wrong []string) {
	answers, secrets = map[string]string{}, map[string]string{}
	for _, q := range all {
		v, typed := d.Answers[q.Key]
		if v = strings.TrimSpace(v); !typed {
			v = q.Propose
		}
		if q.Secret {
			v = p.secrets[secretKey{d.Lock, q.Key}]
		}
		if err := q.fits(v); errors.Is(err, errMissing) {
			wrong = append(wrong, q.Label+" is missing.")
			continue
		} else if err != nil {
			wrong = append(wrong, q.Label+": "+err.Error()+".")
			continue
		}
		switch {
		case v == "":
		case q.Secret:
			secrets[q.Key] = v
		default:
			answers[q.Key] = v
		}
	}
	return answers, secrets, wrong
}

var errMissing = errors.New("this must be answered")

// fits holds an answer to the question.
func (q Question) fits(v string) error {
	switch {
	case v == "" && q.Optional:
		return nil
	case v == "":
		return errMissing
	case strings.Contains(v, "${") && !q.Secret: // in the configuration it would stand for a secret of this machine
		return errors.New("${ cannot stand in it: the configuration reads it as something else")
	case strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' }):
		return errors.New("it holds something that cannot be typed")
	case len(q.Choices) > 0 && !slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.Value == v }):
		return errors.New("choose one of those that are there")
	case q.Fits != nil:
		return q.Fits(v)
	}
	return nil
}

// checkAnswers bounds what the page sent.
func checkAnswers(all map[string]string) error {
	if len(all) > answersMost {
		return fmt.Errorf("there are at most %d answers about a lock", answersMost)
	}
	for k, v := range all {
		if len(k) > 64 || len(v) > textMost {
			return errors.New("that is too long")
		}
	}
	return nil
}

// asked gives the answers that belong to a draft's lock and are no secrets: what is kept of a draft. Setup.mu is held.
func (s *Setup) asked(d Draft) map[string]string {
	i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.id == d.Peer })
	if i < 0 || len(d.Answers) == 0 {
		return d.Answers
	}
	p := s.peers[i]
	out := maps.Clone(d.Answers)
	for _, q := range p.questions(d.Family, p.device(d.Lock, lock.KindLock)) {
		if q.Secret {
			delete(out, q.Key)
		}
	}
	return out
}

// device is one that the peer knows; its zero value: none.
func (p *peer) device(id string, kind lock.Kind) lock.Device {
	if i := slices.IndexFunc(p.devices, func(v lock.Device) bool { return v.ID == id && v.Kind == kind }); i >= 0 {
		return p.devices[i]
	}
	return lock.Device{}
}

// answer takes one secret answer. It goes no further than this process's memory, until it is written into a file of its own.
func (s *Setup) answer(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Peer, Lock, Family, Key, Value string }
	if !gate.Read(w, r, &ask) {
		return
	}
	refuse := func(text string) { gate.Refuse(w, http.StatusBadRequest, "answer", text) }
	s.mu.Lock()
	i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.id == ask.Peer })
	if i < 0 || len(ask.Value) > textMost {
		s.mu.Unlock()
		refuse("That is not there any more, or too long.")
		return
	}
	p := s.peers[i]
	all := p.questions(ask.Family, p.device(ask.Lock, lock.KindLock))
	k := slices.IndexFunc(all, func(q Question) bool { return q.Secret && q.Key == ask.Key })
	var err error
	switch {
	case k < 0:
		err = errors.New("nothing of that kind is asked of this lock any more: choose the lock again")
	case ask.Value != "":
		err = all[k].fits(ask.Value)
	}
	if err != nil {
		s.mu.Unlock()
		refuse(sentence(err))
		return
	}
	key := secretKey{ask.Lock, ask.Key}
	if delete(p.secrets, key); ask.Value != "" {
		if p.secrets == nil {
			p.secrets = map[secretKey]string{}
		}
		p.secrets[key] = ask.Value
	}
	s.mu.Unlock()
	s.reply(w, r)
}

// askView is a question as the page shows it.
type askView struct {
	Key      string       `json:"key"`
	Label    string       `json:"label"`
	Hint     string       `json:"hint"`
	Propose  string       `json:"propose"`
	Choices  []choiceView `json:"choices"`
	Optional bool         `json:"optional"`
	More     bool         `json:"more"`
	Secret   bool         `json:"secret"`
	Had      bool         `json:"had"` // a secret was typed
}

type choiceView struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type familyView struct {
	Key   string    `json:"key"`
	Name  string    `json:"name"`
	About string    `json:"about"`
	Steps []string  `json:"steps"`
	Asks  []askView `json:"asks"`
}

// asksView shows the questions about one lock of a peer. Setup.mu is held.
func (p *peer) asksView(id string, all []Question) []askView {
	out := []askView{}
	for _, q := range all {
		v := askView{q.Key, q.Label, q.Hint, clip(q.Propose), []choiceView{}, q.Optional, q.More, q.Secret, p.secrets[secretKey{id, q.Key}] != ""}
		for _, c := range q.Choices {
			v.Choices = append(v.Choices, choiceView(c))
		}
		out = append(out, v)
	}
	return out
}

func (p *peer) familiesView() []familyView {
	out := []familyView{}
	for _, f := range p.driver.Families {
		out = append(out, familyView{f.Key, f.Name, f.About, append([]string{}, f.Steps...), p.asksView("", f.Asks)})
	}
	return out
}
