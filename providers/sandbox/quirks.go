package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
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

// readers do the same for how requests are read. Browsers send forms everywhere.
var readers = map[string]func(*http.Request) error{
	"json_request": readJSON,
}

// readJSON: Notion wants the parameters of a request as a JSON object, and
// nothing else.
func readJSON(r *http.Request) error {
	if r.Method != http.MethodPost {
		return r.ParseForm()
	}
	mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mt != "application/json" {
		return errors.New("the body is not application/json")
	}
	var members map[string]any
	if err := json.NewDecoder(r.Body).Decode(&members); err != nil {
		return errors.New("the body is not a JSON object")
	}
	form := url.Values{}
	for name, value := range members {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, one := range list {
			text, ok := one.(string)
			if !ok {
				return errors.New(name + " is not a string")
			}
			form.Add(name, text)
		}
	}
	r.PostForm, r.Form = form, form
	return nil
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
