// The camera and a burst of still frames. The picture is never shown: the video element is in no document.

/** Why the camera could not be used. */
export type CameraRefusal = 'denied' | 'missing' | 'busy';

export class CameraError extends Error {
  constructor(readonly refusal: CameraRefusal) {
    super(refusal);
  }
}

/** Width asked of the camera: enough for a face of 200 pixels, little enough for a quick look. */
const width_px = 640;
const height_px = 480;
/** JPEG quality from 0 to 1; below 0.9 the artefacts begin to show in what the face model sees. */
const jpegQuality = 0.92;

export class Camera {
  readonly #stream: MediaStream;
  readonly #video: HTMLVideoElement;
  readonly #canvas = document.createElement('canvas');

  private constructor(stream: MediaStream, video: HTMLVideoElement) {
    this.#stream = stream;
    this.#video = video;
  }

  /** Opens the camera and waits for its first picture. Throws `CameraError`. */
  static async open(facing: 'user' | 'environment' = 'user'): Promise<Camera> {
    if (!navigator.mediaDevices) throw new CameraError('denied');
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { width: { ideal: width_px }, height: { ideal: height_px }, facingMode: facing },
      });
    } catch (error) {
      throw new CameraError(refusalOf(error));
    }
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    const camera = new Camera(stream, video);
    try {
      await video.play();
    } catch {
      camera.close();
      throw new CameraError('busy');
    }
    return camera;
  }

  /** The picture of this moment as a JPEG. */
  async frame(): Promise<Blob> {
    this.#draw();
    return new Promise((resolve, reject) =>
      this.#canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new CameraError('busy'))), 'image/jpeg', jpegQuality),
    );
  }

  /** The picture of this moment. */
  pixels(): ImageData {
    const context = this.#draw();
    return context.getImageData(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #draw(): CanvasRenderingContext2D {
    this.#canvas.width = this.#video.videoWidth;
    this.#canvas.height = this.#video.videoHeight;
    const context = this.#canvas.getContext('2d');
    if (!context || this.#canvas.width === 0) throw new CameraError('busy');
    context.drawImage(this.#video, 0, 0);
    return context;
  }

  /** Stops the camera and forgets the last picture. Closing twice is harmless. */
  close(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#video.srcObject = null;
    this.#canvas.width = 0;
    this.#canvas.height = 0;
  }
}

function refusalOf(error: unknown): CameraRefusal {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return 'busy';
}
