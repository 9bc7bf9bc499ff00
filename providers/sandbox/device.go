package sandbox

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// deviceLife is how long a user code can be entered.
const deviceLife = 15 * time.Minute

// poll is the pace of one device flow, kept by the process that is polled.
type poll struct {
	last     stamp
	interval time.Duration
}

// deviceAnswer is RFC 8628 §3.2.
type deviceAnswer struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

// device starts a device flow (RFC 8628 §3.1).
func (v *visit) device(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	creds, err := credentialsOf(r)
	if err != nil {
		v.fail(w, r, err)
		return
	}
	var value, user string
	err = v.s.book.update(func(t *tx) error {
		c, err := v.authenticate(t, creds, true)
		if err != nil {
			return err
		}
		scopes, refused := v.readScopes(r.PostForm.Get("scope"))
		if refused != nil {
			return refused
		}
		if value, err = t.random("sandbox_dc_", 32); err != nil {
			return err
		}
		if user, err = userCode(t); err != nil {
			return err
		}
		t.put.Devices = append(t.put.Devices, device{
			Hash: digestOf(value), UserCode: user, Realm: v.ID, Client: c.ID, Scopes: scopes,
			Expires: t.now.add(deviceLife),
		})
		return nil
	})
	if err != nil {
		v.fail(w, r, err)
		return
	}
	verify := v.Endpoints[RoleVerify]
	shown := user[:4] + "-" + user[4:]
	v.reply(w, r, http.StatusOK, deviceAnswer{
		DeviceCode: value, UserCode: shown, VerificationURI: verify,
		VerificationURIComplete: verify + "?" + url.Values{"user_code": {shown}}.Encode(),
		ExpiresIn:               int64(deviceLife / time.Second), Interval: int64(v.s.o.Poll / time.Second),
	})
}

// userCodeLetters are those that RFC 8628 §6.1 recommends: no vowels, so no words.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

func userCode(t *tx) (string, error) {
	for {
		var b strings.Builder
		raw := make([]byte, 1)
		for b.Len() < 8 {
			if _, err := io.ReadFull(t.rand, raw); err != nil {
				return "", err
			}
			if int(raw[0]) < 240 { // 12 × 20: no letter is more likely than another
				b.WriteByte(userCodeLetters[int(raw[0])%20])
			}
		}
		if _, taken := t.userCodes[b.String()]; !taken {
			return b.String(), nil
		}
	}
}

// pollDevice answers a poll (RFC 8628 §3.5).
func (v *visit) pollDevice(t *tx, c client, form url.Values) (issued, error) {
	hash := digestOf(form.Get("device_code"))
	row, ok := t.devices[hash]
	switch {
	case !ok || row.Realm != v.ID || row.Client != c.ID:
		return issued{}, refuse("invalid_grant", "the device code is unknown, or belongs to another client").because(whyDeviceUnknown)
	case row.State == "used":
		return issued{}, refuse("invalid_grant", "the device code was used before").because(whyDeviceUnknown)
	case row.Expires.passed(t.now):
		return issued{}, refuse("expired_token", "nobody entered the user code in time").because(whyDeviceExpired)
	}
	if v.s.tooFast(hash, t.now) {
		return issued{}, refuse("slow_down", "polled faster than the interval; it is five seconds longer now")
	}
	switch row.State {
	case "denied":
		return issued{}, refuse("access_denied", "the person said no").because(whyDeviceDenied)
	case "":
		return issued{}, refuse("authorization_pending", "the person has not answered yet").because(whyDevicePending)
	}
	row.State = "used"
	v.s.forgetPoll(hash)
	t.put.Event = eventDevice
	t.put.Devices = append(t.put.Devices, row)
	g, err := v.newConsent(t, c.ID, row.Person, row.Scopes)
	if err != nil {
		return issued{}, err
	}
	// There is no authorization request to ask by parameter in.
	offline := v.allows("refresh_token") && (v.Offline == "" || slices.Contains(g.Scopes, v.Offline))
	return v.issue(t, g, g.Scopes, offline)
}

// tooFast notes a poll and tells whether it came before the interval was over,
// which makes the interval longer.
func (s *Server) tooFast(hash digest, now stamp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, seen := s.polls[hash]
	if !seen {
		p.interval = s.o.Poll
	}
	fast := seen && now < p.last.add(p.interval)
	if fast {
		p.interval += 5 * time.Second
	}
	p.last = now
	s.polls[hash] = p
	return fast
}

func (s *Server) forgetPoll(hash digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.polls, hash)
}

// verify is where a person enters a user code (RFC 8628 §3.3), signs in and
// answers.
func (v *visit) verify(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	if r.Method != http.MethodPost {
		v.codePage(w, r.URL.Query().Get("user_code"), "")
		return
	}
	form := r.PostForm
	entered := form.Get(userCodeField)
	row, problem := v.deviceByUserCode(entered)
	if problem != "" {
		v.codePage(w, entered, problem)
		return
	}
	p, ok := v.s.personOf(form, "")
	switch form.Get(stepField) {
	case stepLogin:
		if !v.s.ticketFits(form, stepLogin, "") || !ok {
			v.codePage(w, entered, "Choose who signs in.")
			return
		}
		v.deviceConsentPage(w, row, p)
	case stepConsent:
		if !v.s.ticketFits(form, stepConsent, row.UserCode, p.Email) || !ok {
			v.codePage(w, entered, "That page is not the one that was shown.")
			return
		}
		v.answerDevice(w, row, p, form)
	default:
		v.codePage(w, entered, "")
	}
}

// plainUserCode is a user code without what people add or leave out (RFC 8628 §6.1).
func plainUserCode(entered string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(entered))
}

func (v *visit) deviceByUserCode(entered string) (device, string) {
	var row device
	var now stamp
	err := v.s.book.view(func(t *tx) { row, now = t.devices[t.userCodes[plainUserCode(entered)]], t.now })
	switch {
	case err != nil:
		return row, err.Error()
	case row.Hash == "" || row.Realm != v.ID:
		return row, "There is no such code. Look again at the other screen."
	case row.State != "":
		return row, "This code has been answered already."
	case row.Expires.passed(now):
		return row, "This code has expired. Start again on the other screen."
	}
	return row, ""
}

func (v *visit) answerDevice(w http.ResponseWriter, row device, p Person, form url.Values) {
	var scopes []string
	for _, one := range row.Scopes {
		if slices.Contains(form[scopeField], one) {
			scopes = append(scopes, one)
		}
	}
	yes := v.allowed(form, row.Scopes)
	row.State, row.Person, row.Scopes = "denied", p, scopes
	if yes {
		row.State = "allowed"
	}
	err := v.s.book.update(func(t *tx) error {
		if t.devices[row.Hash].State == "" {
			t.put.Devices = append(t.put.Devices, row)
		}
		return nil
	})
	if err != nil {
		fail(w, err)
		return
	}
	v.donePage(w, row.State == "allowed")
}
