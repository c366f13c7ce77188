/** The same for names that look the same: in other letters or widths, with spaces or with what cannot be seen. */
export function nicknameKey(nick: string): string {
  return nick
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cf}]/gu, '')
}
