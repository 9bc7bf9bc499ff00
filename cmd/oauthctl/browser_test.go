package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// The programs below stand for a person at a browser: BROWSER names them. They
// follow the sandbox's own pages, by their forms.

func browserAgree() { browse("allow") }
func browserDeny()  { browse("deny") }

// browserEnviron writes down what it was started with, and agrees.
func browserEnviron() {
	text := strings.Join(append(os.Environ(), os.Args...), "\n")
	if err := os.WriteFile("environ.txt", []byte(text), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	browse("allow")
}

func browse(decision string) {
	if err := browseTo(os.Args[len(os.Args)-1], decision); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

var (
	formRE   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldRE  = regexp.MustCompile(`(?is)<(?:input|button)\b([^>]*)>`)
	attrRE   = regexp.MustCompile(`(?is)\b(action|method|name|value|type|checked)(?:\s*=\s*"([^"]*)")?`)
	maxPages = 6
)

// browseTo opens a page and submits its forms until there are none.
func browseTo(start, decision string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(start)
	for range maxPages {
		if err != nil {
			return err
		}
		body, err2 := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err2 != nil {
			return err2
		}
		form := formRE.FindSubmatch(body)
		if form == nil {
			return nil
		}
		head := attributes(string(form[1]))
		to, err2 := res.Request.URL.Parse(head["action"])
		if err2 != nil {
			return err2
		}
		fields := formFields(string(form[2]), decision)
		if strings.EqualFold(head["method"], "post") {
			res, err = client.PostForm(to.String(), fields)
		} else {
			to.RawQuery = fields.Encode()
			res, err = client.Get(to.String())
		}
	}
	return fmt.Errorf("still a form after %d pages", maxPages)
}

// formFields are the values of a form, with the button that the decision names.
func formFields(form, decision string) url.Values {
	fields := url.Values{}
	for _, m := range fieldRE.FindAllStringSubmatch(form, -1) {
		a := attributes(m[1])
		switch {
		case a["name"] == "", a["name"] == "decision" && a["value"] != decision:
		case (a["type"] == "radio" || a["type"] == "checkbox") && a["checked"] == "":
		default:
			fields.Add(a["name"], a["value"])
		}
	}
	return fields
}

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attrRE.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2])
		if strings.EqualFold(m[1], "checked") {
			out["checked"] = "checked"
		}
	}
	return out
}
