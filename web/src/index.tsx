import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { me, post, Problem } from "./lib/api.ts";
import { assert, missing, refusal, register, remember } from "./lib/passkey.ts";
import type { Me } from "./lib/types.ts";
import { Mark } from "./ui/icons.tsx";
import { Guard, homeOf, shell } from "./ui/shell.tsx";
import { Button, Field, Note, Waiting } from "./ui/ui.tsx";

// Signing in: a passkey, or an invitation that makes one. There are no passwords.

type Options = { publicKey: { challenge: string; user: { id: string; name: string; displayName: string } } };

const query = new URLSearchParams(location.search);

function go(m: Me): void {
  location.replace(homeOf(m.role));
}

function SignIn() {
  const [checking, setChecking] = useState(true);
  const [invited, setInvited] = useState(query.has("invite"));
  const [invite, setInvite] = useState(query.get("invite") ?? "");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const lacking = missing();

  useEffect(() => {
    const token = query.get("login");
    if (token !== null) history.replaceState(null, "", "/"); // a link that signs in once must not stay in the history
    const first = token !== null ? post<Me>("/api/login/link", { token }) : me();
    first.then(go, (e: unknown) => {
      if (token !== null || !(e instanceof Problem && e.status === 401)) setProblem(e instanceof Error ? e.message : "The service did not answer.");
      setChecking(false);
    });
  }, []);

  const act = async (what: string, f: () => Promise<Me>): Promise<void> => {
    setBusy(what);
    setProblem("");
    try {
      go(await f());
      return;
    } catch (e) {
      setProblem(refusal(e));
    }
    setBusy("");
  };
  const signIn = (): Promise<void> =>
    act("in", async () => {
      const credential = await assert(await post<Options>("/api/login/begin"));
      const m = await post<Me>("/api/login/finish", { credential });
      remember(credential);
      return m;
    });
  const join = (): Promise<void> =>
    act("join", async () => {
      const options = await post<Options>("/api/register/begin", { invite: invite.trim(), name: name.trim() });
      return post<Me>("/api/register/finish", { credential: await register(options) });
    });

  if (checking) return <Waiting>One moment…</Waiting>;
  return (
    <main class="door-page">
      <div class="door-head">
        <Mark size={72} />
        <h1>Eyebolt</h1>
        <p>A courier gets in only while your camera provably watches.</p>
      </div>
      <div class="door-card">
        {lacking && <Note tone="danger">{lacking}</Note>}
        {problem && <Note tone="danger">{problem}</Note>}
        {invited ? (
          <form
            class="form"
            onSubmit={(e) => {
              e.preventDefault();
              void join();
            }}
          >
            <h2>Join with your invitation</h2>
            <Field label="Invitation code" value={invite} onInput={setInvite} code required name="invite" />
            <Field label="Your name" value={name} onInput={setName} required autoComplete="name" name="name" hint="Residents and couriers see it." />
            <Button type="submit" kind="main" big wide icon="key" busy={busy === "join"} disabled={lacking !== ""}>
              Make a passkey
            </Button>
            <p class="hint">Your phone asks for its fingerprint, face or PIN. Nothing to remember, nothing to steal.</p>
          </form>
        ) : (
          <Button kind="main" big wide icon="key" busy={busy === "in"} disabled={lacking !== ""} onClick={() => void signIn()}>
            Sign in with a passkey
          </Button>
        )}
        <Button kind="quiet" wide onClick={() => setInvited(!invited)}>
          {invited ? "I have a passkey already" : "I have an invitation"}
        </Button>
      </div>
    </main>
  );
}

shell();
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(
    <Guard>
      <SignIn />
    </Guard>,
    root,
  );
}
