/** Finds QR codes in what the camera sees. @module */

/** Looks at one picture; gives the text of the code in it. */
export type FindCode = (video: HTMLVideoElement) => Promise<string | undefined>;

/** What browsers have of the Shape Detection API, where they have it. */
interface BarcodeDetectorLike {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}
interface BarcodeDetectorClass {
  new (options: { readonly formats: readonly string[] }): BarcodeDetectorLike;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** Wider pictures are made smaller: a code that fills a fifth of it is still sharp enough. */
const PICTURE_WIDTH_MAX = 640;

/** The browser's own detector where there is one, else one that is loaded now. */
export async function openFinder(): Promise<FindCode> {
  return (await nativeFinder()) ?? (await loadedFinder());
}

async function nativeFinder(): Promise<FindCode | undefined> {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: BarcodeDetectorClass };
  if (BarcodeDetector === undefined) return undefined;
  const none: readonly string[] = [];
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => none);
  if (!formats.includes('qr_code')) return undefined;
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  return async (video) => (await detector.detect(video))[0]?.rawValue;
}

async function loadedFinder(): Promise<FindCode> {
  const { default: jsQr } = await import('jsqr');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return (video) => {
    const { videoWidth, videoHeight } = video;
    if (context === null || videoWidth === 0) return Promise.resolve(undefined);
    const scale = Math.min(1, PICTURE_WIDTH_MAX / videoWidth);
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = jsQr(picture.data, picture.width, picture.height);
    return Promise.resolve(found?.data);
  };
}
