package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// behaviour is what a server does differently on its token and device endpoints.
type behaviour func(r *http.Request, a *strange)

// strange is an answer while behaviours work on it.
type strange struct {
	status  int
	members map[string]any
	form    bool // sent as form data instead of JSON
	now     time.Time
}

// behaviours imitate what the quirks of package providers/quirk make standard
// again, by the quirks' names. A quirk without a row is not imitated: the server
// then answers as the standards say. To add one, write its function and its row.
var behaviours = map[string]behaviour{
	"aadsts":           entraMembers,
	"accept_json":      answerForm,
	"error_in_200":     errorWith200,
	"realm_principals": realmMembers,
	"scope_list":       commaScopes,
}

// answerForm: GitHub answers in form data unless JSON is asked for.
func answerForm(r *http.Request, a *strange) {
	a.form = !strings.Contains(r.Header.Get("Accept"), "application/json")
}

// errorWith200: GitHub's and Slack's errors come with status 200.
func errorWith200(_ *http.Request, a *strange) {
	if _, failed := a.members["error"]; failed && a.status < http.StatusInternalServerError {
		a.status = http.StatusOK
	}
}

// commaScopes: GitHub writes the granted scopes with commas.
func commaScopes(_ *http.Request, a *strange) {
	if s, ok := a.members["scope"].(string); ok {
		a.members["scope"] = strings.ReplaceAll(s, " ", ",")
	}
}

// reply answers like answer, in the manner of the server.
func (v *visit) reply(w http.ResponseWriter, r *http.Request, status int, body any) {
	a := strange{status: status, now: v.s.o.Now()}
	changed := false
	for _, name := range v.Quirks {
		do, ok := behaviours[name]
		if !ok {
			continue
		}
		if !changed {
			text, err := json.Marshal(body)
			if err == nil {
				err = json.Unmarshal(text, &a.members)
			}
			if err != nil {
				fail(w, err)
				return
			}
			changed = true
		}
		do(r, &a)
	}
	switch {
	case !changed:
		answer(w, status, body)
	case a.form:
		values := url.Values{}
		for name, value := range a.members {
			values.Set(name, fmt.Sprint(value))
		}
		send(w, a.status, "application/x-www-form-urlencoded", []byte(values.Encode()))
	default:
		answer(w, a.status, a.members)
	}
}
