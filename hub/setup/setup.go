// Package setup pairs a home's devices to a door of its hub, for somebody who has not read a manual: it finds what there is, shows it
// by name, asks what belongs together, and writes the hub's configuration. It opens no door, moves no bolt, and holds to what the hub
// itself checks. Drivers, cameras, the search and the hub's checks are handed in: cmd lists them, a driver a line.
//
// Passwords are kept in memory until the configuration is written, then each in a file of its own beside it, which its owner alone may
// read. They never come back: not to the page, not to the log, not into the configuration or the draft.
package setup

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"eyebolt/lock"
)

// Login is what a peer may ask for before it says anything.
type Login string

const (
	NoLogin  Login = ""         // it asks nobody
	Password Login = "password" // a name and a password, or neither
	Token    Login = "token"    // always a token
)

// Driver is one of the hub's lock drivers: what a set-up must know to find its peers and to write its part of the configuration.
type Driver struct {
	Key     string // its name below lock: in the configuration
	Name    string // what people call its peer: "Zigbee2MQTT"
	Service string // its DNS-SD type; empty: it is not found by itself
	Port    int    // tried on this machine, and taken where an address is typed without one
	Scheme  string // of the address that it takes: "mqtt"
	Secure  string // the same with TLS: "mqtts"
	Path    string // at the end of its address, "/ws"
	Login   Login
	// LoginHelp says, step by step, where what Login asks for is found.
	LoginHelp []string
	// About is shown with its locks: what to know before one is chosen.
	About string
	// None says, of a peer that no driver of this hub speaks to, what to do instead; List is nil then.
	None string
	// Settings are the driver's own for one peer and what was picked of it; Pick is empty for List.
	Settings func(Access, Pick) any
	List     lock.List
	// Open opens a door's lock as the hub does: the page then offers to ask it. nil: it does not.
	Open lock.Open
	// Asks are the questions about one of its locks, as List gave it. nil: there are none.
	Asks func(lock.Device) []Question
	// Families are the locks that it reaches without having a list of them.
	Families []Family
}

// Access is how a peer is reached.
type Access struct {
	Address    string // as the driver takes it
	User       string
	SecretFile string // the password's or token's file; empty: none
}

// Pick is a door's devices at one peer, by the driver's IDs.
type Pick struct {
	Lock, Contact, Smoke string
	// DoorSense says that nothing but the lock itself tells whether the door is closed.
	DoorSense bool
	// Family is that of a lock which is in no list; Lock, Contact and Smoke are empty then.
	Family string
	// Answers are by the keys of their questions; a question that was left open has none.
	Answers map[string]string
}

// Seen is a service that said where it is.
type Seen struct {
	Service string
	Name    string
	Addr    netip.AddrPort
	Text    map[string]string
}

// SeenCamera is a camera that said where it is.
type SeenCamera struct {
	Address, Name, Model string
	Why                  string // not empty: why it cannot be asked yet, and what to do
}

// Secret stands for a camera's password in the address of a stream.
const Secret = "${SECRET}"

// CameraAsk is a camera's address, as found or typed: a host, http(s):// or rtsp(s)://, and who asks. Where the password stands in the
// midst of the address, Address has Secret there; see At.
type CameraAsk struct {
	Address, User, Password string
}

// Look is what a camera offers.
type Look struct {
	Name    string // maker and model; may be empty
	Streams []Stream
	Picture []byte // a JPEG of what it sees; empty: PictureSaid says why
	Said    string // about the picture
	Advice  []string
	ONVIF   string // address of its ONVIF service without credentials; empty: none
}

// Stream is one that can be watched.
type Stream struct {
	ID    string
	Text  string // "H264 1280×720, 15 pictures/s"
	URL   string // with Secret in place of the password
	Watch bool   // the one to choose
	View  string // the ID of the stream that phones can play, if this one is not it
	Plays bool   // phones can play it
}

// Config is what a set-up needs. All functions end when their context does.
type Config struct {
	Path    string // of the configuration, absolute
	Drivers []Driver
	// Search asks the networks; where says on which interfaces.
	Search func(ctx context.Context) (found []Seen, where []string, err error)
	// Cameras asks the networks for cameras.
	Cameras func(ctx context.Context) ([]SeenCamera, error)
	// Look asks one camera. ErrLogin says that it wants another name or password.
	Look func(ctx context.Context, ask CameraAsk) (Look, error)
	// Read reads the configuration at Path for what a new door must fit into. An error that wraps fs.ErrNotExist: there is none yet.
	Read func(path string) (Existing, error)
	// Check holds a configuration to all that the hub checks at its start. secrets are what ${NAME} stands for beside the environment.
	Check func(ctx context.Context, path string, secrets map[string]string) error
	// Identity makes what the hub is known by, if it is not there yet.
	Identity func(path string) (Identity, error)
	// Walk begins the walk test of a door that was written. nil: the page tells its command.
	Walk func(ctx context.Context, door string) (http.Handler, func() error, error)
	// Command is how this program was called: "eyebolt", "bin/eyebolt".
	Command string
	Host    string // this machine's name: the hub's name is proposed from it
	State   string // the folder that is proposed for the hub's state, absolute
	Program string // this program's file, absolute
	User    string // who runs it
	Phone   string // host:port at which a phone would reach the walk test's page; empty: not known
	Log     *slog.Logger
	// Tell is told what is found, a line each, from any goroutine: for the terminal. Its texts are not trusted to be printable.
	Tell func(line string)
	// Again is how often the peers that are shown are asked anew. 0: 15 s.
	Again time.Duration
	Now   func() time.Time // nil: time.Now
}

// Existing is what a configuration holds already.
type Existing struct {
	ID    string
	State string
	Doors []string
}

// Identity is what the service must know a hub by.
type Identity struct {
	ID, Key, RecordKey string
}

// ErrLogin says that a name or password is wanted, or another one.
var ErrLogin = errors.New("wrong name or password")

const (
	peersMost   = 64
	camerasMost = 64
	foundMost   = 48  // of either, that a search finds: the rest is for what is typed, whatever a network announces
	textMost    = 256 // of anything that is typed
	searchLimit = 12 * time.Second
	listLimit   = 15 * time.Second
	lookLimit   = 40 * time.Second // a camera that sends no key picture for long, and a decoder that must start
	writeLimit  = 30 * time.Second
)

// Setup is one run of it. Its methods may be called from any goroutine.
type Setup struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex // owns everything below
	search   search
	peers    []*peer
	cameras  []*cam
	draft    Draft
	existing *Existing
	written  *Written
	busy     bool // a configuration is being written
	trying   bool // a lock is being asked
	looked   time.Time
	walk     http.Handler
	walkEnd  func() error
	walkDoor string
	next     int // number of the next peer or camera
}

type search struct {
	Running bool     `json:"running"`
	Where   []string `json:"where"`
	Said    string   `json:"said"`
	Done    int      `json:"done"` // how many searches have ended
}

// New reads what there is and begins to search. An error means that the configuration which is there cannot be read: it is not touched.
func New(ctx context.Context, cfg Config) (*Setup, error) {
	if cfg.Again == 0 {
		cfg.Again = 15 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Tell == nil {
		cfg.Tell = func(string) {}
	}
	s := &Setup{cfg: cfg}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.begin(); err != nil {
		s.cancel()
		return nil, err
	}
	s.restore()
	s.Find()
	s.work.Go(s.follow)
	return s, nil
}

// Close ends everything that it began.
func (s *Setup) Close() error {
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	end := s.walkEnd
	s.walk, s.walkEnd = nil, nil
	s.mu.Unlock()
	if end != nil {
		return end()
	}
	return nil
}

// Find searches once more, unless a search is under way.
func (s *Setup) Find() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.search.Running || s.ctx.Err() != nil {
		return
	}
	s.search.Running = true
	s.work.Go(s.find)
}

func (s *Setup) find() {
	ctx, cancel := context.WithTimeout(s.ctx, searchLimit)
	defer cancel()
	var both sync.WaitGroup
	var said [2]string
	both.Go(func() { said[0] = s.findPeers(ctx) })
	both.Go(func() { said[1] = s.findCameras(ctx) })
	both.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search.Running = false
	s.search.Done++
	s.search.Said = said[0]
	if said[0] == "" {
		s.search.Said = said[1]
	}
}

// follow asks peers anew while somebody looks at them, so that one which went away is not shown as if it were there.
func (s *Setup) follow() {
	tick := time.NewTicker(s.cfg.Again)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		var again []*peer
		if s.cfg.Now().Sub(s.looked) < s.cfg.Again+time.Minute {
			for _, p := range s.peers {
				if p.state == listed || p.state == gone {
					again = append(again, p)
				}
			}
		}
		s.mu.Unlock()
		for _, p := range again {
			s.list(p)
		}
	}
}

// clip bounds what was typed or told.
func clip(s string) string {
	if len(s) > textMost {
		return s[:textMost]
	}
	return s
}
