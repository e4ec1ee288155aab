package setup

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"eyebolt/hub/gate"
	"eyebolt/lock"
)

// view is what the page shows: no secret is in it.
type view struct {
	Config   string       `json:"config"`
	Existing *Existing    `json:"existing"`
	Search   search       `json:"search"`
	Drivers  []driverView `json:"drivers"`
	Peers    []peerView   `json:"peers"`
	Cameras  []camView    `json:"cameras"`
	Draft    Draft        `json:"draft"`
	Problems []Problem    `json:"problems"`
	Written  *Written     `json:"written"`
	Busy     bool         `json:"busy"`
}

type driverView struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Example string `json:"example"`
	Usable  bool   `json:"usable"`
}

type peerView struct {
	ID       string       `json:"id"`
	Driver   string       `json:"driver"`
	Kind     string       `json:"kind"`
	Name     string       `json:"name"`
	Address  string       `json:"address"`
	State    state        `json:"state"`
	Said     string       `json:"said"`
	Login    Login        `json:"login"`
	User     string       `json:"user"`
	Secret   bool         `json:"secret"` // one was typed
	Open     bool         `json:"open"`   // what is typed would cross the network in clear
	Devices  []deviceView `json:"devices"`
	Help     []string     `json:"help"` // where its password or token is found
	About    string       `json:"about"`
	Tries    bool         `json:"tries"` // its locks can be asked
	Families []familyView `json:"families"`
}

type deviceView struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	Make string    `json:"make"`
	Kind string    `json:"kind"`
	Door bool      `json:"door"` // it senses its door
	Why  string    `json:"why"`
	Note string    `json:"note"`
	Asks []askView `json:"asks"`
}

type camView struct {
	ID      string       `json:"id"`
	Address string       `json:"address"`
	Name    string       `json:"name"`
	Model   string       `json:"model"`
	User    string       `json:"user"`
	Secret  bool         `json:"secret"`
	State   state        `json:"state"`
	Said    string       `json:"said"`
	Streams []streamView `json:"streams"`
	Picture bool         `json:"picture"`
	Looks   string       `json:"looks"` // about the picture
	Advice  []string     `json:"advice"`
}

type streamView struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Watch bool   `json:"watch"`
	Plays bool   `json:"plays"`
}

var kinds = map[lock.Kind]string{lock.KindOther: "other", lock.KindLock: "lock", lock.KindContact: "contact", lock.KindSmoke: "smoke"}

// sentence is an error as a person reads it.
func sentence(err error) string {
	text := err.Error()
	if text == "" {
		return text
	}
	r, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + text[n:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?\n") {
		text += "."
	}
	return text
}

// view reads everything. s.mu is held.
func (s *Setup) view() view {
	_, problems := s.problems()
	v := view{
		Config: s.cfg.Path, Existing: s.existing, Search: s.search, Draft: s.draft, Problems: problems, Written: s.written, Busy: s.busy,
		Peers: []peerView{}, Cameras: []camView{},
	}
	for i := range s.cfg.Drivers {
		d := &s.cfg.Drivers[i]
		v.Drivers = append(v.Drivers, driverView{d.Key, d.Name, "192.168.1.20", d.List != nil})
	}
	for _, p := range s.peers {
		k := peerView{
			ID: p.id, Driver: p.driver.Key, Kind: p.driver.Name, Name: p.name, Address: p.address, State: p.state, Said: p.said, Login: p.driver.Login,
			User: p.user, Secret: p.secret != "", Open: p.driver.open(p.address), Devices: []deviceView{},
			Help: append([]string{}, p.driver.LoginHelp...), About: p.driver.About, Tries: p.driver.Open != nil, Families: p.familiesView(),
		}
		for _, d := range p.devices {
			v := deviceView{d.ID, clip(d.Name), clip(d.Make), kinds[d.Kind], d.Can.Door, clip(d.Why), clip(d.Note), []askView{}}
			if d.Kind == lock.KindLock {
				v.Asks = p.asksView(d.ID, p.questions("", d))
			}
			k.Devices = append(k.Devices, v)
		}
		v.Peers = append(v.Peers, k)
	}
	for _, c := range s.cameras {
		k := camView{
			ID: c.id, Address: bare(c.address), Name: c.name, Model: c.model, User: c.user, Secret: c.password != "", State: c.state, Said: c.said,
			Picture: len(c.look.Picture) > 0, Looks: c.look.Said, Advice: c.look.Advice, Streams: []streamView{},
		}
		if c.look.Name != "" {
			k.Model = c.look.Name
		}
		for _, t := range c.look.Streams {
			k.Streams = append(k.Streams, streamView{t.ID, t.Text, t.Watch, t.Plays || t.View != ""})
		}
		v.Cameras = append(v.Cameras, k)
	}
	return v
}

// Handler answers the page, below /setup/api/. Who may ask is the gate's to say.
func (s *Setup) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /setup/api/state", s.reply)
	mux.HandleFunc("POST /setup/api/search", func(w http.ResponseWriter, r *http.Request) {
		s.Find()
		s.reply(w, r)
	})
	mux.HandleFunc("POST /setup/api/peer", s.addPeer)
	mux.HandleFunc("POST /setup/api/login", s.logIn)
	mux.HandleFunc("POST /setup/api/camera", s.askCamera)
	mux.HandleFunc("GET /setup/api/picture", s.picture)
	mux.HandleFunc("POST /setup/api/answer", s.answer)
	mux.HandleFunc("POST /setup/api/try", s.tryLock)
	mux.HandleFunc("POST /setup/api/draft", s.putDraft)
	mux.HandleFunc("POST /setup/api/write", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.Write(r.Context()); err != nil {
			gate.Refuse(w, http.StatusConflict, "write", sentence(err))
			return
		}
		s.reply(w, r)
	})
	mux.HandleFunc("POST /setup/api/again", s.another)
	mux.HandleFunc("POST /setup/api/walk", s.beginWalk)
	return mux
}

// Walked answers the walk test's page, below /walk/api/, once one was begun.
func (s *Setup) Walked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		h := s.walk
		s.mu.Unlock()
		if h == nil {
			gate.Refuse(w, http.StatusNotFound, "walk", "No walk test is under way.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Setup) reply(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.looked = s.cfg.Now()
	v := s.view()
	s.mu.Unlock()
	gate.Reply(w, v)
}

func (s *Setup) addPeer(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Driver, Address string }
	if !gate.Read(w, r, &ask) {
		return
	}
	i := slices.IndexFunc(s.cfg.Drivers, func(d Driver) bool { return d.Key == ask.Driver })
	if i < 0 {
		gate.Refuse(w, http.StatusBadRequest, "driver", "Choose what is there.")
		return
	}
	d := &s.cfg.Drivers[i]
	address, err := d.address(ask.Address)
	if err != nil {
		gate.Refuse(w, http.StatusBadRequest, "address", sentence(err))
		return
	}
	if s.seen(d, address, "", "", peersMost) == nil {
		gate.Refuse(w, http.StatusBadRequest, "many", "Those are more addresses than a home has: end the set-up on its terminal and start it anew.")
		return
	}
	s.reply(w, r)
}

// logIn takes a name and password for a peer, or only asks it again.
func (s *Setup) logIn(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Peer, User, Password string
		Again                bool
	}
	if !gate.Read(w, r, &ask) {
		return
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.id == ask.Peer })
	if i < 0 || len(ask.User) > textMost || len(ask.Password) > 4<<10 {
		s.mu.Unlock()
		gate.Refuse(w, http.StatusBadRequest, "peer", "That is not there, or too long.")
		return
	}
	p := s.peers[i]
	if !ask.Again {
		p.user, p.secret, p.state, p.devices = ask.User, ask.Password, asking, nil
	}
	s.mu.Unlock()
	s.list(p)
	s.reply(w, r)
}

// askCamera asks a camera that was found, by its id, or one whose address was typed.
func (s *Setup) askCamera(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Camera, Address, User, Password string }
	if !gate.Read(w, r, &ask) {
		return
	}
	for _, t := range []string{ask.Camera, ask.Address, ask.User, ask.Password} {
		if len(t) > textMost {
			gate.Refuse(w, http.StatusBadRequest, "long", "That is too long.")
			return
		}
	}
	var c *cam
	if ask.Camera == "" {
		address, user, password, err := cameraAddress(ask.Address)
		if err != nil {
			gate.Refuse(w, http.StatusBadRequest, "address", sentence(err))
			return
		}
		if ask.User == "" && ask.Password == "" {
			ask.User, ask.Password = user, password
		}
		if c = s.seenCamera(address, "", "", camerasMost); c == nil {
			gate.Refuse(w, http.StatusBadRequest, "many", "Those are more cameras than a home has: end the set-up on its terminal and start it anew.")
			return
		}
	} else {
		s.mu.Lock()
		if i := slices.IndexFunc(s.cameras, func(c *cam) bool { return c.id == ask.Camera }); i >= 0 {
			c = s.cameras[i]
		}
		s.mu.Unlock()
	}
	if c == nil {
		gate.Refuse(w, http.StatusBadRequest, "camera", "That camera is not there any more: search again.")
		return
	}
	s.mu.Lock()
	if !c.asks {
		c.user = ask.User
		if ask.Password != "" || ask.User == "" {
			c.password = ask.Password
		}
	}
	s.mu.Unlock()
	s.lookAt(c)
	s.reply(w, r)
}

func (s *Setup) picture(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var jpeg []byte
	for _, c := range s.cameras {
		if c.id == r.URL.Query().Get("camera") {
			jpeg = c.look.Picture
		}
	}
	s.mu.Unlock()
	if len(jpeg) == 0 {
		gate.Refuse(w, http.StatusNotFound, "picture", "There is no picture of this camera.")
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(jpeg) // the client went away: nobody to tell
}

func (s *Setup) putDraft(w http.ResponseWriter, r *http.Request) {
	var d Draft
	if !gate.Read(w, r, &d) {
		return
	}
	if err := s.take(d); err != nil {
		gate.Refuse(w, http.StatusBadRequest, "draft", sentence(err))
		return
	}
	s.reply(w, r)
}

// another begins a further door.
func (s *Setup) another(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var err error
	if s.written != nil {
		s.written = nil
		err = s.begin()
	}
	s.mu.Unlock()
	if err != nil {
		gate.Refuse(w, http.StatusConflict, "read", sentence(err))
		return
	}
	s.reply(w, r)
}

func (s *Setup) beginWalk(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	written, door, running := s.written, "", s.walk != nil
	if written != nil {
		door = written.Door
	}
	running = running && s.walkDoor == door
	end := s.walkEnd
	s.mu.Unlock()
	switch {
	case written == nil || s.cfg.Walk == nil:
		gate.Refuse(w, http.StatusConflict, "walk", "There is no door to walk yet.")
		return
	case running:
		gate.Reply(w, map[string]string{"door": door})
		return
	}
	if end != nil {
		_ = end() // of another door
	}
	h, end, err := s.cfg.Walk(s.ctx, door)
	if err != nil {
		gate.Refuse(w, http.StatusConflict, "walk", sentence(err))
		return
	}
	s.mu.Lock()
	s.walk, s.walkEnd, s.walkDoor = h, end, door
	s.mu.Unlock()
	gate.Reply(w, map[string]string{"door": door})
}
