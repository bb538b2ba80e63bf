/** The closed word classes of English by Penn Treebank tag, as far as pronunciation needs them. */

const byTag: Readonly<Record<string, string>> = {
  DT: 'a an the this these those every each some any no all both another either neither such',
  PRP$: 'my your his her its our their whose',
  PRP: 'i you he she it we they me him us them one myself yourself himself herself itself ourselves themselves',
  MD: "will would shall should can could may might must cannot won't wouldn't can't couldn't shouldn't mustn't",
  TO: 'to',
  CC: 'and or but nor &',
  IN:
    'in on at for of by with from into onto about after before during since until under over between among ' +
    'through against near around behind beyond above below across along within without toward towards upon ' +
    'as like than via per despite except inside outside off up down out vs vs.',
  SUB: 'if because although though while whereas unless whether',
  WDT: 'who which what that',
  WRB: 'when where why how',
  EX: "there there's",
  UH: 'yes please oh well hello hi okay ok',
  RB:
    'not never always often sometimes usually also just only very too so quite rather still even ever again ' +
    'already soon now then here more most less least almost nearly perhaps maybe both together',
  BE: "am is are was were be been being isn't aren't wasn't weren't he's she's it's",
  HAVE: "have has had having haven't hasn't hadn't",
  DO: "do does did don't doesn't didn't let's",
  CD:
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million ' +
    'billion trillion',
}

/** Lower-case word → tag. SUB, BE, HAVE and DO are our own: subordinators and the auxiliary verbs. */
export const closedClass: ReadonlyMap<string, string> = new Map(
  Object.entries(byTag).flatMap(([tag, words]) => words.split(' ').map((word) => [word, tag] as const)),
)

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '))

/** Pronouns that stand before a verb; with I, you, we and they the verb has its bare form. */
export const subjects = setOf('i you he she it we they who')
export const pluralSubjects = setOf('i you we they')

/** Heteronyms that can be adjectives before a noun: a live show, a separate room. */
export const adjectives = setOf(
  'live close perfect invalid separate present content alternate intimate absent abstract elaborate deliberate ' +
    'moderate desolate animate appropriate approximate articulate compact converse crooked degenerate diffuse ' +
    'legitimate illegitimate learned ragged jagged dogged inside nearby subordinate associate aggregate duplicate ' +
    'consummate incarnate deviate inebriate sophisticate bass new old good bad big small large great long short ' +
    'high low own first last next other many few fresh little young early late best better worst full free main',
)

/** Verbs whose past has the same letters as another word, and how to tell: read, wound. */
export const pastAlike = setOf('read wound reread')
