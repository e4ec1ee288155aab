import { useEffect, useRef, useState } from "preact/hooks";
import { buzz } from "../lib/buzz.ts";
import { Button, Note } from "../ui/ui.tsx";


// Scan reads a parcel's code with the camera where the browser can; typing always works.

interface Detector {
  detect(v: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorClass = { new (o?: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> };

const detector = (): DetectorClass | undefined => (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
export const canScan = (): boolean => detector() !== undefined && !!navigator.mediaDevices?.getUserMedia;

export function Scan({ onCode, onClose }: { onCode: (code: string) => void; onClose: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let on = true;
    let stream: MediaStream | null = null;
    const run = async (): Promise<void> => {
      const Class = detector();
      if (Class === undefined) return;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      } catch {
        setProblem("The camera is not available. Type the code instead.");
        return;
      }
      const v = video.current;
      if (!on || v === null) {
        for (const t of stream.getTracks()) t.stop();
        return;
      }
      v.srcObject = stream;
      await v.play().catch(() => undefined);
      const d = new Class({ formats: await Class.getSupportedFormats() });
      while (on) {
        const found = await d.detect(v).catch(() => []);
        const code = found[0]?.rawValue.trim();
        if (code && on) {
          buzz(60);
          onCode(code);
          return;
        }
        await new Promise((r) => setTimeout(r, 150)); // seven looks a second are enough for a hand that holds a phone
      }
    };
    void run();
    return () => {
      on = false;
      for (const t of stream?.getTracks() ?? []) t.stop();
    };
  }, []);
  return (
    <div class="scan">
      {problem ? <Note tone="warn">{problem}</Note> : <video ref={video} muted playsInline aria-label="Camera, point it at the parcel’s code" />}
      <Button onClick={onClose}>Stop scanning</Button>
    </div>
  );
}
