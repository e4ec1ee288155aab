package webfake

import (
	"testing"

	"eyebolt/web/webtest"
)

// join registers with an invitation and ends on the page of the role.
func join(p *webtest.Page, f *fake) {
	p.Go(f.url + "/?invite=KITE-4471")
	p.Type(`input[name=name]`, "Ada Lindqvist")
	p.Click(`button[type=submit]`)
	p.Wait(`location.pathname === '/home'`)
	p.Errors() // 401 is what somebody without an account is answered
}

func TestSigningIn(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("")
	p.Authenticator()
	p.Go(f.url + "/home") // nobody is signed in: the page sends there
	p.Text("Sign in with a passkey")
	p.Errors() // 401 is the answer that was asked for
	shot(t, p, "signin")
	join(p, f)
	if got := f.took("/api/register/begin"); got["invite"] != "KITE-4471" || got["name"] != "Ada Lindqvist" {
		t.Errorf("register: got %v", got)
	}
	p.Text("Secured")
	p.Click(`.top .button.quiet`)
	p.Wait(`location.pathname === '/'`)
	f.took("/api/logout")
	p.Click(`.door-card .button.main`)
	p.Wait(`location.pathname === '/home'`)
	f.took("/api/login/finish") // checked there: the challenge, the origin, the verified user
	p.Text("Secured")
}

func TestSigningInSaysWhatIsWrong(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("")
	f.set(func() {
		f.refuse["/api/register/begin"] = object{"detail": "This invitation has been used. Ask for a new one."}
	})
	p.Go(f.url + "/?invite=OLD-1")
	p.Type(`input[name=name]`, "Ada")
	p.Click(`button[type=submit]`)
	p.Text("This invitation has been used. Ask for a new one.")
	p.Errors()
	shot(t, p, "join")

	// No passkeys in this browser: said before anybody tries.
	p.Call("Page.addScriptToEvaluateOnNewDocument", map[string]string{"source": "delete window.PublicKeyCredential"}, nil)
	p.Go(f.url + "/")
	p.Text("This browser has no passkeys.")
	p.Wait(`document.querySelector('.door-card .button.main').disabled`)
}

// A link of the demo signs in once and leaves no trace in the address.
func TestLoginLink(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("")
	p.Go(f.url + "/?login=one-time")
	p.Wait(`location.pathname === '/home' && location.search === ''`)
	if got := f.took("/api/login/link"); got["token"] != "one-time" {
		t.Errorf("link: got %v", got)
	}
}
