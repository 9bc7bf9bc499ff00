package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func vaultType() Type {
	return Type{
		Name: "vault",
		Doc: "A secret of HashiCorp Vault or OpenBao, in the engine KV. In version 2 of the engine it is written with check-and-set: " +
			"what somebody else has written in between is never lost.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "path", Kind: schema.String, Required: true, Doc: "The path of the secret below the mount, such as \"ci/graph\"."},
			{Name: "mount", Kind: schema.String, Default: `"secret"`, Doc: "Where the engine is mounted."},
			{Name: "mode", Kind: schema.String, OneOf: []string{"merge", "replace"}, Default: `"merge"`, Doc: "Whether other members of the secret stay, or the sink owns the whole secret."},
			{Name: "kv_version", Kind: schema.Number, Default: "2", Doc: "The version of the engine, 1 or 2. Version 1 has no check-and-set: somebody who writes at the same moment may be overwritten."},
			{Name: "namespace", Kind: schema.String, Doc: "The namespace, sent as X-Vault-Namespace."},
			{Name: "token", Kind: schema.Sensitive, Required: true, Ephemeral: true, Doc: "A token of Vault: env(\"VAULT_TOKEN\"), a sensitive variable, or the access_token of a connection."},
			{Name: "url", Kind: schema.String, Required: true, Doc: "The address of Vault, such as https://vault.example:8200."},
		}},
		New: newVault,
	}
}

// vault is one secret in the engine KV.
type vault struct {
	api
	mount, path string // escaped
	what        string // "secret/ci/graph"
	v1, replace bool
}

func newVault(o *schema.Object) (Target, hcl.Diagnostics) {
	v := &vault{replace: o.String("mode") == "replace", v1: o.Int("kv_version") == 1}
	v.api = api{token: o.Secret("token"), said: vaultSays, remedy: v.remedy, header: http.Header{"X-Vault-Request": {"true"}},
		sign: func(h http.Header) { h.Set("X-Vault-Token", v.token.Reveal()) }}
	diags := v.address(o, "", "https://vault.example:8200")
	v.base = strings.TrimSuffix(v.base, "/v1")
	mount := "secret"
	if o.Has("mount") {
		mount = strings.Trim(o.String("mount"), "/")
	}
	path := strings.Trim(o.String("path"), "/")
	v.what = mount + "/" + path
	var ok bool
	if v.mount, ok = escapePath(mount); !ok {
		diags = append(diags, o.ErrorAt("mount", "Invalid mount", "The argument \"mount\" is a path such as \"secret\" or \"team/kv\", not %q.", mount))
	}
	if v.path, ok = escapePath(path); !ok {
		diags = append(diags, o.ErrorAt("path", "Invalid path", "The argument \"path\" is a path below the mount such as \"ci/graph\", not %q.", path))
	}
	if strings.HasPrefix(path, "data/") && !v.v1 {
		diags = append(diags, o.ErrorAt("path", "Path of the API", "The argument \"path\" is what \"vault kv get\" is given, without \"data/\"."))
	}
	if n := o.Int("kv_version"); o.Has("kv_version") && n != 1 && n != 2 {
		diags = append(diags, o.ErrorAt("kv_version", "Unknown version of the engine", "The argument \"kv_version\" must be 1 or 2."))
	}
	switch ns := strings.Trim(o.String("namespace"), "/"); {
	case strings.ContainsFunc(ns, func(r rune) bool { return r <= ' ' || r > '~' }):
		diags = append(diags, o.ErrorAt("namespace", "Invalid namespace", "The argument \"namespace\" is a path such as \"team/ci\", not %q.", ns))
	case ns != "":
		v.header.Set("X-Vault-Namespace", ns)
		v.what += " in the namespace " + ns
	}
	return v, diags
}

// escapePath escapes a path of several names, and reports whether it is one.
func escapePath(path string) (string, bool) {
	names := strings.Split(path, "/")
	for i, name := range names {
		if name == "" || name == "." || name == ".." || strings.ContainsFunc(name, unicode.IsControl) || strings.TrimSpace(name) != name {
			return "", false
		}
		names[i] = url.PathEscape(name)
	}
	return strings.Join(names, "/"), true
}

// Place implements Target.
func (v *vault) Place() string { return "the secret " + v.what + " at " + v.host }

// Check implements Target.
func (v *vault) Check(names []string) error {
	if slices.Contains(names, "") {
		return errors.New("a name is empty")
	}
	return nil
}

// members are what a secret holds; they need not be strings.
type members map[string]json.RawMessage

// Publish implements Target.
func (v *vault) Publish(ctx context.Context, env Env, values []Value) error {
	if len(values) == 0 {
		return nil
	}
	change := members{}
	var names, secrets []string
	for _, value := range values {
		text, err := json.Marshal(value.Secret.Reveal())
		if err != nil {
			return &Error{Kind: Config, Doing: v.doing("write"), Detail: "the value of " + value.Name + " has no form in JSON"}
		}
		change[value.Name], names, secrets = text, append(names, value.Name), append(secrets, value.Secret.Reveal())
	}
	return v.change(ctx, env, "write", change, names, secrets)
}

// Remove implements Target.
func (v *vault) Remove(ctx context.Context, env Env, names []string) error {
	change := members{}
	for _, name := range names {
		change[name] = nil // which JSON writes as null, and a merge takes away
	}
	return v.change(ctx, env, "remove values of", change, nil, nil)
}

func (v *vault) doing(verb string) string { return verb + " the secret " + v.what + " at " + v.base }

// change reads a secret and writes it back with a change. If somebody else has
// written in between, it looks again, once.
func (v *vault) change(ctx context.Context, env Env, verb string, change members, names, secrets []string) error {
	for again := false; ; again = true {
		now, err := v.read(ctx, env)
		if err != nil {
			return err
		}
		if verb != "write" && !now.hasAny(change) {
			return nil
		}
		w := &vaultWrite{vault: v, request: request{doing: v.doing(verb), secret: secrets}, change: change, now: now}
		err = w.do(ctx, env)
		var e *Error
		if !errors.As(err, &e) {
			return err
		}
		lost := e.Status == http.StatusBadRequest && strings.Contains(e.Detail, "check-and-set")
		if lost && !again {
			continue
		}
		if lost {
			e.Kind, e.Remedy = Temporary, "somebody else writes this secret all the time: try again later"
		} else {
			e.Written = names
		}
		return err
	}
}

// kept is what is at a path.
type kept struct {
	members members
	version int // 0: nothing was ever there
}

func (k kept) hasAny(of members) bool {
	for name := range of {
		if _, ok := k.members[name]; ok {
			return true
		}
	}
	return false
}

// read reads a secret, for its version above all.
func (v *vault) read(ctx context.Context, env Env) (kept, error) {
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	r := request{doing: v.doing("read"), method: http.MethodGet, path: v.at("data"), out: &answer, accept: []int{http.StatusNotFound}}
	status, err := v.call(ctx, env, r)
	if err != nil {
		return kept{}, err
	}
	var out kept
	var versioned struct {
		Data     members `json:"data"`
		Metadata struct {
			Version int `json:"version"`
		} `json:"metadata"`
	}
	if v.v1 {
		err = json.Unmarshal(answer.Data, &out.members)
	} else {
		err = json.Unmarshal(answer.Data, &versioned)
		out = kept{versioned.Data, versioned.Metadata.Version} // of a deleted secret, the version counts
	}
	switch {
	case status == http.StatusNotFound && out.version == 0:
		return kept{}, v.preflight(ctx, env)
	case status == http.StatusNotFound:
		out.members = nil
	case err != nil || !v.v1 && out.version == 0:
		return kept{}, &Error{Kind: Protocol, Doing: r.doing, Detail: "the answer is not that of the engine KV in version " + v.engine(), Remedy: "check the arguments mount and kv_version"}
	}
	return out, nil
}

func (v *vault) engine() string {
	if v.v1 {
		return "1"
	}
	return "2"
}

// at is the path of the secret in the API; version 2 has several for each.
func (v *vault) at(part string) string {
	if v.v1 {
		return "/v1/" + v.mount + "/" + v.path
	}
	return "/v1/" + v.mount + "/" + part + "/" + v.path
}

// preflight looks at the engine before the first write: version 1 would take what
// is meant for version 2, at a path of which nobody knows. Whoever may not look
// is told by the write.
func (v *vault) preflight(ctx context.Context, env Env) error {
	var answer struct {
		Data struct {
			Type    string            `json:"type"`
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	r := request{doing: "look at the engine of " + v.what + " at " + v.base, method: http.MethodGet, path: "/v1/sys/internal/ui/mounts/" + v.mount + "/" + v.path, out: &answer,
		accept: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}}
	status, err := v.call(ctx, env, r)
	if err != nil || status != http.StatusOK {
		return err
	}
	engine, version := answer.Data.Type, "1"
	if answer.Data.Options["version"] == "2" {
		version = "2"
	}
	if engine != "kv" && engine != "generic" {
		return &Error{Kind: Config, Doing: r.doing, Detail: fmt.Sprintf("it is %q and not KV", clean(engine)), Remedy: "name a mount of the engine KV in the argument mount"}
	}
	if version != v.engine() {
		return &Error{Kind: Config, Doing: r.doing, Detail: "it is KV in version " + version, Remedy: "set kv_version = " + version}
	}
	return nil
}

// vaultWrite is one attempt to change a secret.
type vaultWrite struct {
	*vault
	request
	change members
	now    kept
}

func (w *vaultWrite) do(ctx context.Context, env Env) error {
	next := members{}
	if !w.replace {
		for name, value := range w.now.members {
			next[name] = value
		}
	}
	for name, value := range w.change {
		if next[name] = value; value == nil {
			delete(next, name)
		}
	}
	r := w.request
	switch {
	case len(next) == 0:
		r.method, r.path, r.accept = http.MethodDelete, w.at("data"), []int{http.StatusNotFound}
		_, err := w.call(ctx, env, r)
		return err
	case w.v1:
		r.method, r.path, r.body = http.MethodPost, w.at("data"), next
		_, err := w.call(ctx, env, r)
		return err
	}
	var answer struct {
		Data struct {
			Version int `json:"version"`
		} `json:"data"`
	}
	r.path, r.out = w.at("data"), &answer
	options := map[string]int{"cas": w.now.version}
	if !w.replace && w.now.members != nil {
		r.method, r.as, r.body = http.MethodPatch, "application/merge-patch+json", map[string]any{"options": options, "data": w.change}
		r.accept = []int{http.StatusForbidden, http.StatusMethodNotAllowed} // the right to patch is one of its own
		if status, err := w.call(ctx, env, r); err != nil || status == http.StatusOK {
			return err
		}
	}
	r.method, r.as, r.body, r.accept = http.MethodPost, "", map[string]any{"options": options, "data": next}, nil
	_, err := w.call(ctx, env, r)
	if err == nil && answer.Data.Version == 0 {
		return &Error{Kind: Protocol, Doing: r.doing, Detail: "the answer is not that of the engine KV in version 2", Remedy: "check the arguments mount and kv_version"}
	}
	return err
}

// remedy is what to do about an answer that is no success.
func (v *vault) remedy(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "see what Vault says of the secret, correct it, and apply again"
	case http.StatusUnauthorized, http.StatusForbidden:
		return "Vault answers so to a token that has ended and to one without the right: look with vault token lookup; its policy needs read, create and update, and delete to remove, on " + strings.TrimPrefix(v.at("data"), "/v1/")
	case http.StatusNotFound:
		return "check that there is a mount for " + v.what + ", and the arguments mount, namespace and kv_version"
	case http.StatusMethodNotAllowed:
		return "check the arguments mount and kv_version: what is mounted there cannot do this"
	case http.StatusPreconditionFailed:
		return "apply again: the server has not seen all that was written yet"
	case http.StatusServiceUnavailable:
		return "try again later: Vault is sealed or in maintenance"
	}
	return ""
}

// vaultSays is the reasons in an answer.
func vaultSays(answer []byte) string {
	var said struct {
		Errors []string `json:"errors"`
	}
	_ = json.Unmarshal(answer, &said)
	return strings.Join(said.Errors, "; ")
}
