import { useState } from "preact/hooks";
import { Button } from "./ui.tsx";

// Invitation is a link that works once and makes a passkey on the phone that opens it.
export function Invitation({ code }: { code: string }) {
  const link = `${location.origin}/?invite=${encodeURIComponent(code)}`;
  return (
    <>
      <p>Send this link to the person it is for. It makes a passkey on the phone that opens it, works once, and holds for two weeks.</p>
      <Copy text={link} word="Copy the link" />
    </>
  );
}

// Copy is a text to take along. It says whether it was taken.
export function Copy({ text, word }: { text: string; word: string }) {
  const [said, setSaid] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("This browser did not copy it: select the text above");
    }
  };
  return (
    <>
      <p class="code box">{text}</p>
      <Button kind="main" big wide onClick={() => void copy()}>
        <span aria-live="polite">{said || word}</span>
      </Button>
    </>
  );
}
