/**
 * English spelling to sound: for each letter an ordered list of rules, of which the first that fits is taken. The
 * idea is that of Elovitz, Johnson, McHugh and Shore, "Automatic translation of English text to phonetics by means
 * of letter-to-sound rules" (Naval Research Laboratory, report 7948, 1976); the rules are our own.
 *
 * A rule is `left(letters)right sounds`. Left and right are regular expressions in which V is a vowel letter, C a
 * consonant letter and F one of e, i, y; `-` is silence. Sounds are American but for ɒ, the vowel of "lot" in both
 * accents, and may later be weakened where they bear no stress.
 */
const table = `
a: (augh) ɔ | (au) ɔ | (aw)V ɔw | (aw) ɔ | (aye?r)$ Aəɹ | (air) ɛɹ | (ai) A | (ay) A | (ae) i | (aa) ɑ | (ao) W
 | [^aeo]w(ar)(?=C|$) ɔɹ | ^w(ar)(?=C|$) ɔɹ | qu(ar)(?=C|$) ɔɹ | ^s?w(a)[ntls] ɒ | qu(a)[^kv] ɒ | (are)$ ɛɹ
 | VC+(ard)$ əɹd | (ar)(?=V) æɹ | (arr) æɹ | (ar) ɑɹ | (alk) ɔk | (all)$ ɔl | (al)t ɔl | VC+(age)$ ɪʤ | [ct]i(al)(?:ly)?$ ᵊl | [ct]i(an)s?$ ən
 | VC+(ace)$ əs | VC+(able)$ əbᵊl | VC+(al)(?:ly)?$ ᵊl | VC+(an)$ ən | VC+(ant)$ ənt | VC+(ance)$ əns | (a)tion A
 | (ang)e[rsd]?$ Anʤ | (a)ste$ A | (a)C(?:e|es|ed|ing|er)$ A | (a)CFV A | (a)[bcdgkpt]le A | ^C{1,3}(a)C(?:e[nlr]|y|in|on|is)$ A
 | (a)C[aoiu]$ ɑ | (a)ng æ | (ah) ɑ | (a)$ ə | (a) æ
b: (bb) b | m(b)$ - | (bt)$ t | (b) b
c: (cch) k | (ch)[lrmn] k | ^(ch)(?:aos|or|em) k | t(ch) ʧ | (ch) ʧ | (ck) k | (cc)F ks | (cqu) kw | (cc) k
 | (ci)(?:a|ou|e[nt]) ʃ | (cz) ʧ | (c)F s | (c) k
d: (dge)$ ʤ | (dg)F ʤ | (dd) d | (dj) ʤ | (dh) d | (dt)$ t | (d) d
e: ^(eu) ju | (eau) O | (euse)$ ɜz | (eu) u | [bcfhkmnpv](ew) ju | (ew) u | (eer) ɪɹ | (ee) i | (ear)C ɜɹ | (ear) ɪɹ
 | (ea)th ɛ | (ea)d ɛ | (ea)[sv]u ɛ | ^(ea) i | VC+(ea)$ iə | (ea) i | (eigh) A | c(ei) i | (eir) ɛɹ | (ei) I | (ey)C A
 | VC*(ey)$ i | (ey) A | (eo)[nu] iə | (eo) iO | (ere)$ ɪɹ | (er)(?=[aeiou]) ɛɹ | (err) ɛɹ | (er)$ əɹ | VC+(er) əɹ
 | (er) ɜɹ | VC+(el)$ ᵊl | VC+(en)(?:ed|ing)?$ ən | VC+(ent)$ ənt | [ct]i(ent) ənt | VC+(ence)$ əns | VC+(ess)$ əs | VC+(et)$ ət
 | VC+(em)$ əm | V[^sxzcg](e)s$ - | V[^dt](e)d$ - | VC+(e)(?:ment|ly|less|ful|ness)$ - | VC+(e)$ - | ^C+(e)$ i
 | ^(ex)V ɪɡz | ^(ex) ɛks | ^(e)C[aeiou] ɪ | (e)Ce$ i | ^C{1,3}(e)C(?:a|o|us|er)$ i | (e)[aou] i | (e)$ A | (e)h A | (e) ɛ
f: (ff) f | (f) f
g: ^(gh) ɡ | i(gh) - | (gh)$ f | (gh) ɡ | ^(gn) n | (gn)$ n | (gg) ɡ | (gu)F ɡ | (gue)$ ɡ | (ge)$ ʤ | ^(g)e[td] ɡ
 | ^(g)i[rfvlt] ɡ | (g)e[ru] ɡ | (g)F ʤ | (g) ɡ
h: (h)V h | (h) -
i: (igh) I | (ign)$ In | VC+(ied)$ id | VC+(ies)$ iz | (ieu) ju | VC+(ier) iəɹ | (ier) ɪɹ | (ie)$ i | (ie)w ju | (ie)[tn] Iə | (ie) i
 | (iar)$ iəɹ | VC*(ious)$ iəs | (ia) iə | VC+(io) iO | (io) IO | (iu) iə | (ism)s?$ ɪzəm | (ire)$ Iəɹ | (ir)V ɪɹ | (ir) ɜɹ
 | ^C+(i)nd$ I | ^C+(i)ld$ I | VC+(ine)$ in | (i)[sz](?:e|es|ed|ing|er|able|ation)$ I | VC+(ive)$ ɪv | VC+(ice)$ ɪs | VC+(ite)$ It
 | VC+(ile)$ Il | (i)C(?:e|es|ed|ing|er)$ I | ^C*(i)C[aio]$ i | V[^aeiou]+(i)[cn][aio]$ i | ^(i)C[aeo] I | (i)$ i | (i)[oau] i | (i) ɪ
j: (jj) ʤ | (j) ʤ
k: ^(kn) n | (kk) k | (kh) k | (k) k
l: (ll) l | C(le)$ ᵊl | C(le)s$ ᵊl | C(le)d$ ᵊl | (lm)$ m | (l) l
m: ^(mc)(?=[kg]) mə | ^(mc) mək | ^(mn) n | (mm) m | (mn)$ m | (m) m
n: ^(ng) n | (ng)$ ŋ | (ng)s$ ŋ | (ng)F nʤ | (ng)[lraou] ŋɡ | (ng) ŋ | (n)k ŋ | (n)c[^eiyhk] ŋ | (n)[xq] ŋ | (nn) n | (n) n
o: (ough)t ɔ | (ough)$ O | (ou)gh W | (ook) ʊk | (oor) ɔɹ | (oo) u | VC*(ous)$ əs | (oul)d ʊ | (our) ɔɹ | (ou)[pv] u | (ou) W
 | (ow)er W | ^C+(ow)$ W | (ow)$ O | (ow) W | (oy) Y | (oi) Y | (oar) ɔɹ | (oa) O | (oeu) ɜ | (oe)$ O | (oe)s O
 | (oe) i | (ore)$ ɔɹ | w(or) ɜɹ | VC+(or)$ əɹ | (orr?) ɔɹ | (o)ld O | (o)ll$ O | (o)lk O | (o)st$ O | (o)C(?:e|es|ed|ing|er)$ O
 | (o)CFV O | ^C{0,3}(o)C[aeiou]C?$ O | (o)$ O | VC+(on)s?$ ən | [cgst]i(on) ən | VC+(om)$ əm | VC+(o)$ O | (o)[aeiu] O | (oh) O | ^(o)C[aeiou] O | (o) ɒ
p: (ph) f | (pp) p | ^(p)[snt] - | (p) p
q: (que)$ k | (qu) kw | (q) k
r: (rr) ɹ | (rh) ɹ | (r) ɹ
s: ^(sch) ʃ | (sch) sk | (sc)F s | (sh) ʃ | (ssi)on ʃ | V(si)on ʒ | (si)on ʃ | V(sure)$ ʒəɹ | (ss) s | (sz) ʃ | (s)tle s | V(s)e$ z | V(s)[aeiy][^sn] z | V(s)m z | [bdglmnvr](s)$ z | e(s)$ z | y(s)$ z | (s) s
t: (tch) ʧ | (tsch) ʧ | s(ti)on ʧ | (ti)on ʃ | (ti)[ae][lnt] ʃ | (ti)ous ʃ | (thm) ðəm | V(th)er ð | (th)e$ ð | (th) θ | (tt) t
 | VC*(ture)s?$ ʧəɹ | (tu)(?:al|ate|ous) ʧu | s(t)le - | (t) t
u: (uy) I | V?q(u) w | ^(un)(?![ai]) ʌn | (ue)$ u | g(u)[ao] w | [sz](u)[ae] w | (ua) wɑ | (ui)C u | (ure)$ jʊɹ
 | (ur)V ʊɹ | (urr?) ɜɹ | VC+(um)$ əm | VC+(us)$ əs | VC+(ul)$ ᵊl | [bcfghkmpv](u)C(?:e|es|ed|ing|er)$ ju | (u)C(?:e|es|ed|ing|er)$ u
 | ^(u)CF ju | [bcfghkmpv](u)C[aeiou] ju | (u)C[aeiou] u | (u)$ u | (u)[aeio] u | (u)h u | (u) ʌ
v: (v) v
w: ^(wr) ɹ | (wh) w | (w)V w | (w)$ - | (w) w
x: ^(x) z | (xc)F ks | (x) ks
y: ^(y)V j | (y)[aeou] j | ^C{1,2}(y)$ I | (yre)$ Iəɹ | (y)C(?:e|es|er)$ I | ^C{1,2}(y)C[aeiou] I | ^C{0,2}(yr)C ɜɹ | (y)$ i | (y)s$ i | (yi) i | (y) ɪ
z: (zz) z | (zh) ʒ | (zsch) ʧ | (z) z
`

/** One rule, ready to be tried at a place of a word. */
export interface LetterRule {
  /** Sticky: matches the letters with their surroundings looked at, not taken. */
  readonly pattern: RegExp
  readonly sounds: string
}

const classes = (pattern: string): string =>
  pattern.replaceAll('V', '[aeiouy]').replaceAll('C', '[bcdfghjklmnpqrstvwxz]').replaceAll('F', '[eiy]')

/** Left contexts look back over at most so many consonants: no word has more, and matching stays linear. */
const boundedLeft = (left: string): string => left.replaceAll('+', '{1,4}').replaceAll('*', '{0,4}')

function compile(rule: string): LetterRule {
  const [, left = '', letters = '', right = '', sounds = ''] =
    /^([^(]*)\(([^)]*)\)(.*) (\S+)$/.exec(rule.trim()) ?? []
  const before = left === '' ? '' : `(?<=${classes(boundedLeft(left))})`
  const after = right === '' ? '' : `(?=${classes(right)})`
  return { pattern: new RegExp(before + classes(letters) + after, 'y'), sounds: sounds === '-' ? '' : sounds }
}

/** Lower-case letter → its rules in order. The last rule of every letter always fits. */
export const letterRules: ReadonlyMap<string, readonly LetterRule[]> = new Map(
  table
    .trim()
    .split(/\n(?=[a-z]:)/)
    .map((line) => [line.charAt(0), line.slice(2).split(' | ').map(compile)]),
)
