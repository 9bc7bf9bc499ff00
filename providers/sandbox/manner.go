package sandbox

import (
	"net/http"
	"net/url"
	"time"
)

// manner is what a family of servers decides differently from the standards.
// Each function may be nil.
type manner struct {
	// turnAway refuses a person who has signed in, before the consent page.
	turnAway func(v *visit, req *request, p Person) *refusal
	// ask reads what is asked for, and may leave out some of it; the problem is
	// shown on a page, and the browser sent nowhere.
	ask func(v *visit, req *request) (problem string)
	// present reads how a client presents itself in a token request.
	present func(v *visit, creds *credentials, form url.Values) *refusal
	// whole: a person consents to everything or to nothing.
	whole bool
	// codeLife is how long a code lives; 0: as elsewhere.
	codeLife time.Duration
	// firstRedirect: what is not registered is replaced by the first that is.
	firstRedirect bool
	// strayed is what the page says about a redirect URI that is not registered.
	strayed func(v *visit, clientID, redirect string) string
	// check refuses a token request of a client that has been recognised.
	check func(v *visit, t *tx, c client, creds credentials, form url.Values) *refusal
	// begin finishes a consent whose code is being redeemed.
	begin func(v *visit, t *tx, c client, creds credentials, g *consent) *refusal
	// again refuses the use of a refresh token.
	again func(v *visit, creds credentials, g consent) *refusal
	// reissue gives out an access token that still lives, or a new one.
	reissue func(v *visit, t *tx, g consent, scopes []string) (value string, life time.Duration)
	// sameRefresh: a refresh token comes back with every answer.
	sameRefresh bool
	// revoke answers at the revocation endpoint, instead of RFC 7009.
	revoke func(v *visit, w http.ResponseWriter, r *http.Request)
	// life is how long the next access token lives, instead of v.Access.
	life func(v *visit, t *tx) (time.Duration, error)
	// word gives an error the server's words and code; body is the JSON that is sent.
	word func(v *visit, e *refusal) (worded *refusal, body any)
}

// manners are found by the name of a quirk. To add one, write its functions and its row.
var manners = map[string]*manner{
	"realm_challenge": {
		ask: askRealm, strayed: strayedFromEntra, present: presentRealm, whole: true,
		codeLife: 5 * time.Minute, word: wordRealm,
	},
	"catch_all_401": {
		firstRedirect: true, ask: askInstance, word: wordInstance,
		reissue: sameToken, sameRefresh: true, revoke: revokeOne,
	},
	"aadsts": {
		turnAway: adminNeeded, strayed: strayedFromEntra, check: checkEntra, begin: beginEntra,
		again: checkOrigin, life: wanderingLife, word: wordEntra,
	},
}

// manner is that of the first quirk that has one; never nil.
func (p *profile) manner() *manner {
	for _, name := range p.Quirks {
		if m, ok := manners[name]; ok {
			return m
		}
	}
	return &manner{}
}

// worded is a refusal in the words of the server, and what to send as JSON.
func (v *visit) worded(e *refusal) (*refusal, any) {
	if word := v.manner().word; word != nil {
		return word(v, e)
	}
	return e, e
}

// fail answers with an error in the manner of the server.
func (v *visit) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, body := v.worded(asRefusal(w, err))
	v.reply(w, r, e.status, body)
}
