import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readEntry } from '#shared/entry.ts'
import { isBlank } from '#shared/invisible.ts'
import { readBareJid } from '#shared/jid.ts'
import { isPretending, lookOf, sayAddress } from '#shared/look-alike.ts'
import { cleanLine } from '#shared/text.ts'
import { assertLinear } from '#test/support/growth.ts'
import { ar } from '#web/languages/ar.ts'
import { de } from '#web/languages/de.ts'
import { en } from '#web/languages/en.ts'
import { fr } from '#web/languages/fr.ts'
import { entryOf, xml } from '../feeds/fixtures.ts'

const clean = (text: string) => cleanLine(text, 200)

describe('a name, a title or a tag', () => {
  it('has no format characters and no blank letters', () => {
    const hidden = [
      '\u200b',
      '\u3164',
      '\u2800',
      '\u115f',
      '\uffa0',
      '\u00ad',
      '\u2060',
      '\ufeff',
      '\u202e',
      '\u{1d159}',
    ]
    for (const char of hidden) {
      assert.equal(clean(`Al${char}ice`), 'Alice', `U+${char.codePointAt(0)?.toString(16)}`)
      assert.equal(clean(char.repeat(3)), '')
      assert.ok(isBlank(`${char} ${char}`))
    }
    assert.equal(clean('x\u{e0067}\u{e007f}y'), 'xy', 'tag characters without a flag')
    assert.equal(clean('a\u200cb a\u200db a\ufe0fb'), 'ab ab ab')
  })

  it('keeps joiners where its script needs them', () => {
    for (const name of ['می\u200cخواهم', 'क्\u200dष', 'क्\u200cष', 'ශ්\u200dරී']) assert.equal(clean(name), name)
    assert.equal(clean('ا\u200cب'), 'اب', 'a letter that joins nothing')
    assert.equal(clean('می\u200c'), 'می', 'at the end')
  })

  it('keeps every emoji whole, and signs that are drawn', () => {
    for (const name of [
      '👩‍👩‍👧‍👦',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      '🏳️‍🌈',
      '❤️',
      '1️⃣',
      '葛\u{e0100}城',
      '\u06dd١',
    ]) {
      assert.equal(clean(`${name} x`), `${name} x`)
    }
  })

  it('counts as empty where nothing of it is seen', () => {
    const entry = readEntry(
      entryOf({
        title: '\u3164\u2800',
        text: 'The lark',
        author: 'a@b.example',
        name: '\u200b\u3164',
        more: tags('\u2800', 'a\u200bb'),
      }),
    )
    assert.equal(entry?.title, 'The lark')
    assert.equal(entry?.isUntitled, true)
    assert.equal(entry?.author.name, undefined)
    assert.deepEqual(entry?.tags, ['ab'])
    const blank =
      "<entry xmlns='http://www.w3.org/2005/Atom'><title>\u3164</title><content>\u200b\u2800</content></entry>"
    assert.equal(readEntry(xml(blank)), undefined)
  })

  it('takes time that grows with its length alone', async () => {
    for (const char of ['\u200d', '\ufe0f', '👩\u200d', 'क्\u200d', '\u{e0067}']) {
      await assertLinear([5_000, 50_000], (size) => cleanLine(char.repeat(size), 20_000))
    }
  })
})

describe('names that look alike', () => {
  it('are those of one skeleton (UTS 39), whatever their case, widths, accents and signs', () => {
    for (const name of [
      'аlice',
      'Аlice',
      'AIice',
      'ALICE',
      'Ａｌｉｃｅ',
      'Al ice',
      '“Alice”',
      'al\u200bice',
      '𝐀𝐥𝐢𝐜𝐞',
      'аⅼісе',
    ]) {
      assert.equal(lookOf(name), lookOf('Alice'), name)
    }
    for (const name of ['Rorneo', 'ROMEO', 'ro meo']) assert.equal(lookOf(name), lookOf('Romeo'), name)
    assert.equal(lookOf('B0B'), lookOf('Bob'))
    for (const name of ['ᴀʟɪᴄᴇ', 'ᴬˡⁱᶜᵉ']) assert.equal(lookOf(name), lookOf('Alice'), name)
    assert.equal(lookOf('ꞯᴜɪɴɴ ᴛʜᴇ ꜰᴏx ᴊᴜᴍᴘꜱ ʙʏ ᴋɢʀᴠᴢ'), lookOf('quinn the fox jumps by kgrvz'))
    for (const [name, other] of [
      ['VVolf', 'Wolf'],
      ['vvilliam', 'William'],
      ['clora', 'Dora'],
    ] as const)
      assert.equal(lookOf(name), lookOf(other), name)
    for (const name of ['błogger', 'bløgger', 'ḅlógger', '🅱logger', '🅑logger', 'Blogger 🇫🇷'])
      assert.equal(lookOf(name), lookOf('Blogger'), name)
    assert.equal(lookOf('🅩🆉'), lookOf('ZZ'))
    assert.notEqual(lookOf('नील'), lookOf('नाल'), 'marks that are vowels')
    for (const name of ['Alicia', 'Bob', 'Élise', '']) assert.notEqual(lookOf(name), lookOf('Alice'), name)
    assert.equal(lookOf('♥'), '♥', 'signs where there is nothing else')
  })

  it('and names that pretend say what only an address can', () => {
    for (const name of [
      'Alice ✓',
      '✔ Alice',
      'Alice ☑️',
      'Alice ✅',
      'alice@capulet.example',
      'alice＠capulet.example',
      'capulet.example',
      'Admin',
      'аdmin',
      'ᴀᴅᴍɪɴ',
      'Canto-Admin',
      'Moderator of this site',
      'Modérateur',
      'the author',
      'The Blogger',
      'Owner',
      ...[ar, de, en, fr].map(({ author }) => author),
    ]) {
      assert.ok(isPretending(name), name)
    }
    for (const name of [
      'Rosa Admina',
      'Owner of a Lonely Heart',
      'Alice',
      'J.R.R. Tolkien',
      'Dr. Nurse',
      'R. Montague',
      'Zoë 🌹',
    ])
      assert.ok(!isPretending(name), name)
  })
})

function tags(...terms: string[]): string {
  return terms.map((term) => `<category term='${term}'/>`).join('')
}

describe('an address that is shown', () => {
  it('has its domain in ASCII where that is drawn like an ASCII one, or mixes scripts', () => {
    const shown = {
      'alice@blog.example': 'alice@blog.example',
      // Cyrillic о; all of it Cyrillic; Greek; a dot below.
      'alice@blоg.example': 'alice@xn--blg-ted.example',
      'alice@аррӏе.example': 'alice@xn--80ak6aa92e.example',
      'alice@ο.example': 'alice@xn--0xa.example',
      'alice@blọg.example': 'alice@xn--blg-ulz.example',
      'alice@жlog.example': 'alice@xn--log-udd.example',
      'pubsub.blоg.example': 'pubsub.xn--blg-ted.example',
      'alice@блог.example': 'alice@блог.example',
      'alice@日本のブログ.example': 'alice@日本のブログ.example',
      'alice@한국.example': 'alice@한국.example',
      'alice@[2001:db8::1]': 'alice@[2001:db8::1]',
      // Before the domain: Cyrillic а; accents are seen; another script alone.
      'аlice@blog.example': '%D0%B0lice@blog.example',
      'zoë@blog.example': 'zoë@blog.example',
      'алиса@блог.example': 'алиса@блог.example',
    }
    for (const [address, words] of Object.entries(shown)) {
      const jid = readBareJid(address)
      assert.ok(jid, address)
      assert.equal(sayAddress(jid), words)
    }
  })
})
