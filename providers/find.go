package providers

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/oauthctl/oauthctl/schema"
)

// How much of a message is looked into, and how many codes of a kind are taken from it.
const (
	maxMessage = 64 << 10
	maxCodes   = 16
)

// UnknownCode is a code that a message names and the catalogue does not have.
type UnknownCode struct {
	Code    string   // as it stands in the message: untrusted
	Similar []string // codes of the catalogue that are spelt like it
	More    string   // URL where the vendor explains its numbers; "" if there is none
}

// FindErrors finds the codes of the catalogue in what a server said: a code
// alone ("invalid_grant", "AADSTS65001", "65001"), a sentence, a JSON body, a URL,
// a header. The most telling come first: numbers, a vendor's codes, the
// standards'. unknown are what is plainly a code, and not in the catalogue. It
// needs neither network nor state.
func FindErrors(text string) (found []KnownError, unknown []UnknownCode) {
	m := readMessage(text)
	c := catalogue()
	for _, e := range c.vendor {
		if m.names(&e) {
			found = append(found, e)
		}
	}
	vendors := found
	for _, e := range c.standard {
		if m.names(&e) && !m.said(vendors, &e) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b KnownError) int {
		return cmp.Or(cmp.Compare(m.rank(&a), m.rank(&b)), cmp.Compare(m.place(&a), m.place(&b)))
	})
	return found, m.unknown(found)
}

// message is what a server said, taken apart.
type message struct {
	given   string         // the message
	text    string         // the message, and what JSON and percent-encoding hide in it
	alone   bool           // it is one word
	words   map[string]int // in lower case, with the place of the first
	numbers map[string]int // "AADSTS50011", with the place of the first
	errors  []string       // values of error
}

var (
	wordPattern   = pattern(`[A-Za-z0-9_]+`)
	numberPattern = pattern(`(?i)(AADSTS|(?:^|[^A-Za-z]|\\[nrt])ACS)[ :]{0,2}([0-9]{4,9})`)
	codesPattern  = pattern(`(?i)"error_codes\\?"\s*:\s*\[([0-9,\s]{1,200})\]`)
	linkPattern   = pattern(`(?i)/error\?code=([0-9]{4,9})`)
	errorPattern  = pattern(`(?i)\berror\\?["']?\s*[=:]\s*\\?["']?([A-Za-z0-9_.-]{3,64})`)
	codePattern   = pattern(`^[A-Za-z][A-Za-z0-9_.-]{2,63}$`)
	barePattern   = pattern(`^[0-9]{4,9}$`)
)

// pattern compiles an expression when it is first used: most runs read no message.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func readMessage(text string) *message {
	text = strings.TrimSpace(text[:min(len(text), maxMessage)])
	m := &message{alone: !strings.ContainsAny(text, " \t\r\n{}=&"), words: map[string]int{}, numbers: map[string]int{}}
	m.given, m.text = text, text
	if plain, err := url.QueryUnescape(text); err == nil && plain != text {
		m.text += "\n" + plain
	}
	for _, s := range jsonStrings(text) {
		m.text += "\n" + s
	}
	for _, at := range wordPattern().FindAllStringIndex(m.text, -1) {
		keep(m.words, strings.ToLower(m.text[at[0]:at[1]]), at[0])
	}
	for _, at := range numberPattern().FindAllStringSubmatchIndex(m.text, maxCodes) {
		prefix := "ACS"
		if strings.EqualFold(m.text[at[2]:at[3]], "AADSTS") {
			prefix = "AADSTS"
		}
		keep(m.numbers, prefix+m.text[at[4]:at[5]], at[0])
	}
	for _, at := range codesPattern().FindAllStringSubmatchIndex(m.text, maxCodes) {
		for _, n := range strings.FieldsFunc(m.text[at[2]:at[3]], func(r rune) bool { return r < '0' || r > '9' }) {
			keep(m.numbers, "AADSTS"+n, at[0])
		}
	}
	for _, at := range linkPattern().FindAllStringSubmatchIndex(m.text, maxCodes) {
		keep(m.numbers, "AADSTS"+m.text[at[2]:at[3]], at[0])
	}
	if barePattern().MatchString(text) {
		m.numbers["AADSTS"+text], m.numbers["ACS"+text] = 0, 0
	}
	for _, at := range errorPattern().FindAllStringSubmatch(m.text, -1) {
		if len(m.errors) < maxCodes && !slices.Contains(m.errors, at[1]) {
			m.errors = append(m.errors, at[1])
		}
	}
	return m
}

func keep(m map[string]int, key string, at int) {
	if _, ok := m[key]; !ok {
		m[key] = at
	}
}

// jsonStrings are the strings in a JSON value, names left out; nothing if text is none.
func jsonStrings(text string) []string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return nil
	}
	var out []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(v[name])
			}
		}
	}
	walk(v)
	return out
}

// names reports whether the message names the entry. A code that is spelt by
// itself names every entry of it, whatever else would have to be there.
func (m *message) names(e *KnownError) bool {
	if e.numbered() {
		_, ok := m.numbers[e.Code]
		return ok || m.named(e)
	}
	sentence := func(w string) bool { return strings.Contains(w, " ") && holds(m.text, w) }
	if slices.ContainsFunc(e.also, sentence) || slices.ContainsFunc(e.match, sentence) {
		return true
	}
	_, ok := m.words[e.Code]
	return ok && (m.alone || e.matches(m.text)) || m.named(e)
}

// said reports whether vendors' entries say what a standard's would, and more:
// the same code with the words that belong to it, which may be a code
// themselves, or what only a word in the text stands for.
func (m *message) said(vendors []KnownError, e *KnownError) bool {
	_, spelt := m.words[e.Code]
	return slices.ContainsFunc(vendors, func(v KnownError) bool {
		if !spelt || len(e.also) > 0 {
			return v.numbered()
		}
		return !m.alone && len(v.match) > 0 && v.matches(m.text) && (v.Code == e.Code || slices.Contains(v.match, e.Code))
	})
}

// named reports whether the message is nothing but the vendor's name for the
// error: "InvalidReplyTo".
func (m *message) named(e *KnownError) bool { return m.alone && strings.EqualFold(m.given, e.Name) }

// rank puts numbers before a vendor's codes, and those before the standards'.
func (m *message) rank(e *KnownError) int {
	switch {
	case e.numbered():
		return 0
	case e.Family == "oauth" || e.Family == "oidc":
		if m.alone {
			return 1 // of the same code, the standard's meaning first
		}
		return 2
	}
	if m.alone {
		return 2
	}
	return 1
}

// place is where the message names the entry.
func (m *message) place(e *KnownError) int {
	if at, ok := m.numbers[e.Code]; ok {
		return at
	}
	if at, ok := m.words[e.Code]; ok {
		return at
	}
	return len(m.text)
}

// unknown lists the codes that were not found.
func (m *message) unknown(found []KnownError) []UnknownCode {
	has := func(code string) bool {
		return slices.ContainsFunc(found, func(e KnownError) bool { return strings.EqualFold(e.Code, code) })
	}
	var out []UnknownCode
	numbers := slices.SortedFunc(maps.Keys(m.numbers), func(a, b string) int {
		return cmp.Or(cmp.Compare(m.numbers[a], m.numbers[b]), cmp.Compare(a, b))
	})
	for _, n := range numbers {
		digits := strings.TrimLeft(n, "ACDST")
		if has(n) || m.alone && (has("AADSTS"+digits) || has("ACS"+digits)) || m.alone && barePattern().MatchString(m.given) && strings.HasPrefix(n, "ACS") {
			continue
		}
		u := UnknownCode{Code: n}
		if strings.HasPrefix(n, "AADSTS") {
			u.More = "https://login.microsoftonline.com/error?code=" + digits
		}
		out = append(out, u)
	}
	said := m.errors
	if m.alone && len(m.numbers) == 0 && len(found) == 0 && codePattern().MatchString(m.given) {
		said = []string{m.given}
	}
	for _, code := range said {
		if !has(code) && !barePattern().MatchString(code) {
			out = append(out, UnknownCode{Code: code, Similar: similar(code)})
		}
	}
	return out
}

// similar are up to three codes of the catalogue that are spelt like one.
func similar(code string) []string {
	var known []string
	for _, e := range Errors() {
		if !e.numbered() && !slices.Contains(known, e.Code) {
			known = append(known, e.Code)
		}
	}
	var out []string
	for len(out) < 3 {
		s := schema.Suggest(code, known)
		if s == "" {
			break
		}
		out = append(out, s)
		known = slices.DeleteFunc(known, func(k string) bool { return k == s })
	}
	return out
}
