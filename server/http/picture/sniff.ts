type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/avif'

/** The most bytes that the type of a picture can need. */
export const SNIFF_BYTES = 128

/** The type that the bytes themselves show; what the sender calls them means nothing. */
export function sniffPicture(bytes: Buffer): PictureType | undefined {
  const text = (from: number, to: number) => bytes.toString('latin1', from, to)
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png'
  if (text(0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'image/gif'
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp'
  if (text(4, 8) === 'ftyp' && isAvifBrand(bytes)) return 'image/avif'
  return undefined
}

// The major brand may be another (mif1): then avif stands among the compatible ones (ISO 14496-12 §4.3).
function isAvifBrand(bytes: Buffer): boolean {
  const end = Math.min(bytes.length, bytes.length >= 4 ? bytes.readUInt32BE(0) : 0, SNIFF_BYTES)
  for (let at = 8; at + 4 <= end; at += 4) {
    const brand = bytes.toString('latin1', at, at + 4)
    if (brand === 'avif' || brand === 'avis') return true
  }
  return false
}
