/* A QR code that is drawn when it is asked for; so is the code that draws it. */
import { useState } from "preact/hooks";
import { lazy } from "../shell/lazy";
import { words } from "../words/content";

const QrCode = lazy(() => import("./QrCode").then((file) => file.QrCode));

const say = words.qr;

/* `of`: what the button names, where there are several. */
export function QrToggle({ address, name, of }: { address: string; name: string; of?: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="button"
        aria-expanded={isOpen}
        aria-label={of === undefined ? undefined : say.showOf(of)}
        onClick={() => setOpen(!isOpen)}
      >
        {say.show}
      </button>
      {isOpen && <QrCode key={address} address={address} name={name} />}
    </>
  );
}
