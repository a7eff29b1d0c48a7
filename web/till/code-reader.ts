// Reads a QR code with the camera. The reader is loaded when it is first needed; the service worker keeps it for an outage.

import { Camera } from '../ui/camera';

const pause_ms = 120;

/** Opens the camera and calls `found` with the first code in view. Returns how to stop. */
export function readCodes(found: (text: string) => void, failed: () => void): () => void {
  let stopped = false;
  void watch();
  return () => {
    stopped = true;
  };

  async function watch() {
    let camera: Camera | undefined;
    try {
      const [{ decodeQR }, opened] = await Promise.all([import('qr/decode.js'), Camera.open('environment')]);
      camera = opened;
      while (!stopped) {
        const text = codeIn(decodeQR, camera.pixels());
        if (text !== undefined && !stopped) return found(text);
        await new Promise((resolve) => setTimeout(resolve, pause_ms));
      }
    } catch {
      if (!stopped) failed();
    } finally {
      camera?.close();
    }
  }
}

/** The reader throws where there is no whole code. */
function codeIn(decode: (image: ImageData) => string, pixels: ImageData): string | undefined {
  try {
    return decode(pixels);
  } catch {
    return undefined;
  }
}
