package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// digest stands for a token, code or device code: the book never holds the
// thing itself.
type digest string

func digestOf(value string) digest {
	sum := sha256.Sum256([]byte(value))
	return digest(base64.RawURLEncoding.EncodeToString(sum[:18]))
}

// stamp is a time in milliseconds since 1970; 0 means never.
type stamp int64

func stampOf(t time.Time) stamp { return stamp(t.UnixMilli()) }

func (s stamp) add(d time.Duration) stamp { return s + stamp(d.Milliseconds()) }

func (s stamp) unix() int64 { return int64(s) / 1000 }

func (s stamp) passed(now stamp) bool { return s != 0 && now >= s }

// The rows of the book. A row is never changed in place: a later one with the
// same key replaces it.
type (
	client struct {
		Realm     string            `json:"realm"`
		ID        string            `json:"id"`
		Strict    bool              `json:"strict,omitempty"` // registered, not learned
		Secrets   []string          `json:"secrets,omitempty"`
		Keys      []json.RawMessage `json:"keys,omitempty"` // public, JWK
		Redirects []string          `json:"redirects,omitempty"`
		// Registered clients only.
		Platform   string `json:"platform,omitempty"`
		SecretEnds stamp  `json:"secretEnds,omitempty"`
		NoRefresh  bool   `json:"noRefresh,omitempty"`
	}
	code struct {
		Hash      digest   `json:"h"`
		Realm     string   `json:"realm"`
		Client    string   `json:"client"`
		Redirect  string   `json:"redirect,omitempty"` // as sent; "" if it was left out
		Challenge string   `json:"challenge,omitempty"`
		Nonce     string   `json:"nonce,omitempty"`
		Scopes    []string `json:"scopes,omitempty"`
		Person    Person   `json:"person"`
		Offline   bool     `json:"offline,omitempty"` // gives a refresh token
		Expires   stamp    `json:"exp"`
		Grant     string   `json:"grant,omitempty"` // made from it; then it is used
	}
	// consent is a family of tokens: one person, one client, one consent.
	consent struct {
		ID      string   `json:"id"`
		Realm   string   `json:"realm"`
		Client  string   `json:"client"`
		Person  Person   `json:"person"`
		Scopes  []string `json:"scopes,omitempty"`
		At      stamp    `json:"at"`
		Revoked bool     `json:"revoked,omitempty"`
		Ends    stamp    `json:"ends,omitempty"` // of its refresh tokens, however they are used
	}
	refresh struct {
		Hash    digest `json:"h"`
		Grant   string `json:"grant"`
		Expires stamp  `json:"exp,omitempty"`
		Used    stamp  `json:"used,omitempty"` // rotated away at
	}
	access struct {
		Hash    digest   `json:"h"`
		Realm   string   `json:"realm"`
		Client  string   `json:"client"`
		Grant   string   `json:"grant,omitempty"` // "" for client credentials
		Scopes  []string `json:"scopes,omitempty"`
		At      stamp    `json:"at"`
		Expires stamp    `json:"exp"`
		Revoked bool     `json:"revoked,omitempty"`
	}
	device struct {
		Hash     digest   `json:"h"`
		UserCode string   `json:"user"` // without dashes
		Realm    string   `json:"realm"`
		Client   string   `json:"client"`
		Scopes   []string `json:"scopes,omitempty"`
		Expires  stamp    `json:"exp"`
		State    string   `json:"state,omitempty"` // "", "allowed", "denied", "used"
		Person   Person   `json:"person,omitzero"`
	}
)

// What is counted in the journal.
const (
	eventCode      = "code"
	eventDevice    = "device"
	eventClient    = "client"
	eventExchange  = "exchange"
	eventRefresh   = "refresh"
	eventReuse     = "reuse"
	eventCodeReuse = "code_reuse"
	eventRevoke    = "revoke"
)

// change is one line of the journal: rows that are put together or not at all.
type change struct {
	Format  int             `json:"format,omitempty"` // of the first line
	Salt    []byte          `json:"salt,omitempty"`   // of the first line
	Event   string          `json:"event,omitempty"`
	Realms  []*profile      `json:"realms,omitempty"`
	Key     json.RawMessage `json:"key,omitempty"` // JWK of the signing key
	Clients []client        `json:"clients,omitempty"`
	Codes   []code          `json:"codes,omitempty"`
	Grants  []consent       `json:"grants,omitempty"`
	Refresh []refresh       `json:"refresh,omitempty"`
	Access  []access        `json:"access,omitempty"`
	Devices []device        `json:"devices,omitempty"`
}

func (c *change) empty() bool {
	return c.Event == "" && len(c.Realms)+len(c.Key)+len(c.Clients)+len(c.Codes)+len(c.Grants)+
		len(c.Refresh)+len(c.Access)+len(c.Devices) == 0
}

type clientKey struct{ realm, id string }

// claim says who answers at a URL: the server mounted last, and every server
// that has the URL too (userinfo endpoints are shared between tenants).
type claim struct {
	role  Role
	realm []string
}

// book is all that the sandbox knows, in tables. Every decision is made in
// update, which first reads what other processes appended to the journal.
type book struct {
	now  func() time.Time
	rand io.Reader
	salt []byte

	mu        sync.Mutex
	journal   *journal // nil: memory only
	realms    map[string]*profile
	urls      map[string]claim
	hosts     map[string]bool
	key       json.RawMessage
	clients   map[clientKey]client
	codes     map[digest]code
	grants    map[string]consent
	refreshes map[digest]refresh
	accesses  map[digest]access
	devices   map[digest]device
	userCodes map[string]digest
	counts    map[string]int
	puts      int
}

const journalFormat = 1

func openBook(o Options) (*book, error) {
	b := &book{
		now: o.Now, rand: o.Rand,
		realms: map[string]*profile{}, urls: map[string]claim{}, hosts: map[string]bool{},
		clients: map[clientKey]client{}, codes: map[digest]code{}, grants: map[string]consent{},
		refreshes: map[digest]refresh{}, accesses: map[digest]access{},
		devices: map[digest]device{}, userCodes: map[string]digest{}, counts: map[string]int{},
	}
	if o.Journal != "" {
		j, err := openJournal(o.Journal)
		if err != nil {
			return nil, err
		}
		b.journal = j
	}
	err := b.update(func(t *tx) error {
		if len(b.salt) > 0 {
			return nil
		}
		t.put.Format, t.put.Salt = journalFormat, make([]byte, 32)
		_, err := io.ReadFull(b.rand, t.put.Salt)
		return err
	})
	if err != nil {
		_ = b.close()
		return nil, err
	}
	return b, nil
}

func (b *book) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.journal == nil {
		return nil
	}
	return b.journal.close()
}

// tx is one decision: it reads the tables of the book and collects rows to put.
type tx struct {
	*book
	now stamp
	put change
}

// update lets f decide on the newest history and keeps what it puts, also when
// f refuses with an error: a refusal may revoke.
func (b *book) update(f func(*tx) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.journal != nil {
		if err := b.journal.lock(); err != nil {
			return err
		}
		defer b.journal.unlock()
		if err := b.journal.catchUp(b.apply); err != nil {
			return err
		}
	}
	t := &tx{book: b, now: stampOf(b.now())}
	decided := f(t)
	if t.put.empty() && t.put.Format == 0 {
		return decided
	}
	if b.journal != nil {
		if err := b.journal.append(&t.put); err != nil {
			return err
		}
	}
	if err := b.apply(&t.put); err != nil {
		return err
	}
	return decided
}

// view lets f read the newest history.
func (b *book) view(f func(*tx)) error {
	return b.update(func(t *tx) error { f(t); return nil })
}

// random is a token of n random bytes with a prefix that tells what it is.
func (t *tx) random(prefix string, n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(t.rand, raw); err != nil {
		return "", err
	}
	return prefix + base64.RawURLEncoding.EncodeToString(raw), nil
}

// mount adds or replaces a profile; it writes nothing if it is known already.
func (b *book) mount(p *profile) error {
	return b.update(func(t *tx) error {
		if old, ok := t.realms[p.ID]; ok {
			p = p.join(old)
			text, err := json.Marshal(p)
			if err != nil {
				return err
			}
			if known, err := json.Marshal(old); err == nil && bytes.Equal(known, text) {
				return nil
			}
		}
		t.put.Realms = append(t.put.Realms, p)
		return nil
	})
}

// apply puts the rows of a change into the tables.
func (b *book) apply(c *change) error {
	if c.Format > journalFormat {
		return errNewer
	}
	if c.Format > 0 {
		b.salt = c.Salt
	}
	if c.Key != nil {
		b.key = c.Key
	}
	if c.Event != "" {
		b.counts[c.Event]++
	}
	for _, r := range c.Realms {
		if err := b.applyRealm(r); err != nil {
			return err
		}
	}
	for _, r := range c.Clients {
		b.clients[clientKey{r.Realm, r.ID}] = r
	}
	for _, r := range c.Codes {
		b.codes[r.Hash] = r
	}
	for _, r := range c.Grants {
		b.grants[r.ID] = r
	}
	for _, r := range c.Refresh {
		b.refreshes[r.Hash] = r
	}
	for _, r := range c.Access {
		b.accesses[r.Hash] = r
	}
	for _, r := range c.Devices {
		b.devices[r.Hash] = r
		b.userCodes[r.UserCode] = r.Hash
	}
	b.sweep()
	return nil
}

func (b *book) applyRealm(p *profile) error {
	urls, err := p.urls()
	if err != nil {
		return err
	}
	if old, ok := b.realms[p.ID]; ok {
		b.forgetURLs(old)
	}
	b.realms[p.ID] = p
	for key, role := range urls {
		c := b.urls[key]
		if c.role != role { // taken over by another kind of endpoint
			c = claim{role: role}
		}
		c.realm = append([]string{p.ID}, c.realm...)
		b.urls[key] = c
		b.hosts[hostOf(key)] = true
	}
	return nil
}

// forgetURLs takes back the URLs that a profile had.
func (b *book) forgetURLs(p *profile) {
	urls, err := p.urls()
	if err != nil {
		return // then it was never applied
	}
	for key := range urls {
		c := b.urls[key]
		c.realm = slices.DeleteFunc(slices.Clone(c.realm), func(id string) bool { return id == p.ID })
		if len(c.realm) == 0 {
			delete(b.urls, key)
		} else {
			b.urls[key] = c
		}
	}
}

// sweep forgets, now and then, access tokens and codes that have ended, so that
// a long run does not grow without bound.
func (b *book) sweep() {
	if b.puts++; b.puts%4096 != 0 {
		return
	}
	past := stampOf(b.now()).add(-time.Hour)
	maps.DeleteFunc(b.accesses, func(_ digest, a access) bool { return a.Expires.passed(past) })
	maps.DeleteFunc(b.codes, func(_ digest, c code) bool { return c.Grant == "" && c.Expires.passed(past) })
	maps.DeleteFunc(b.devices, func(_ digest, d device) bool {
		if d.Expires.passed(past) {
			delete(b.userCodes, d.UserCode)
			return true
		}
		return false
	})
}
