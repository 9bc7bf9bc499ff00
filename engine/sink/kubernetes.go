package sink

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

func kubernetesType() Type {
	return Type{
		Name: "kubernetes",
		Doc: "A Secret of Kubernetes, written with server-side apply: what others have put into it stays theirs. The cluster and the credentials come from a kubeconfig, " +
			"or from the service account of the pod that oauthctl runs in. Programs that a kubeconfig names are never run.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "namespace", Kind: schema.String, Required: true, Doc: "The namespace of the Secret. It has to be there already."},
			{Name: "name", Kind: schema.String, Required: true, Doc: "The name of the Secret. It is made if it is not there."},
			{Name: "type", Kind: schema.String, Default: `"Opaque"`, Doc: "The type of the Secret, which cannot be changed later."},
			{Name: "labels", Kind: schema.StringMap, Doc: "Labels of the Secret."},
			{Name: "annotations", Kind: schema.StringMap, Doc: "Annotations of the Secret."},
			{Name: "kubeconfig", Kind: schema.String, Doc: "The kubeconfig; a relative path starts at the directory of the configuration. Without it, the file that KUBECONFIG names, or .kube/config in the home directory."},
			{Name: "context", Kind: schema.String, Doc: "The context of the kubeconfig. Without it, the current one: name it, so that kubectl config use-context does not lead values elsewhere."},
			{Name: "in_cluster", Kind: schema.Bool, Default: "false", Doc: "Whether to use the service account of the pod, and no kubeconfig."},
			{Name: "field_manager", Kind: schema.String, Default: `"oauthctl"`, Doc: "Who owns what is written. Two sinks that write to one Secret need two names, or each takes away what the other wrote."},
			{Name: "force", Kind: schema.Bool, Default: "false", Doc: "Whether to take over members that somebody else owns; otherwise that is an error."},
		}},
		New: newKubernetes,
	}
}

// kubernetes is one Secret.
type kubernetes struct {
	namespace, name string
	kind            string // the type
	labels, notes   map[string]string
	kubeconfig      string
	context         string
	inCluster       bool
	manager         string
	force           bool
}

func newKubernetes(o *schema.Object) (Target, hcl.Diagnostics) {
	k := &kubernetes{namespace: o.String("namespace"), name: o.String("name"), kind: "Opaque", labels: o.StringMap("labels"), notes: o.StringMap("annotations"),
		kubeconfig: o.String("kubeconfig"), context: o.String("context"), inCluster: o.Bool("in_cluster"), manager: "oauthctl", force: o.Bool("force")}
	var diags hcl.Diagnostics
	fail := func(name, summary, detail string, args ...any) {
		diags = append(diags, o.ErrorAt(name, summary, detail, args...))
	}
	if o.Has("type") {
		k.kind = o.String("type")
	}
	if o.Has("field_manager") {
		k.manager = o.String("field_manager")
	}
	if !isDNS(k.namespace, 63, false) {
		fail("namespace", "Invalid namespace", "The argument \"namespace\" has small letters, digits and hyphens, at most 63, not %q.", k.namespace)
	}
	if !isDNS(k.name, 253, true) {
		fail("name", "Invalid name of a Secret", "The argument \"name\" has small letters, digits, hyphens and dots, at most 253, not %q.", k.name)
	}
	if k.kind == "" {
		fail("type", "Empty type", "The argument \"type\" is a type such as \"Opaque\".")
	}
	if k.manager == "" || len(k.manager) > 128 || strings.ContainsFunc(k.manager, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fail("field_manager", "Invalid field manager", "The argument \"field_manager\" is a name of at most 128 printable characters.")
	}
	if k.inCluster && (k.kubeconfig != "" || k.context != "") {
		fail("in_cluster", "Two clusters", "With \"in_cluster\", neither \"kubeconfig\" nor \"context\" counts: take one of them out.")
	}
	for _, name := range []string{"labels", "annotations"} {
		if v, ok := o.Values[name]; ok && schema.IsSensitive(v) {
			fail(name, "Sensitive value in "+name, "Whoever may list Secrets reads %s, so nothing in them may be sensitive. Secrets belong into the argument \"secrets\".", name)
		}
	}
	return k, diags
}

// isDNS reports whether s is a name as of RFC 1123: a label, or with dots several.
func isDNS(s string, most int, dots bool) bool {
	if len(s) > most {
		return false
	}
	labels := []string{s}
	if dots {
		labels = strings.Split(s, ".")
	}
	return !slices.ContainsFunc(labels, func(l string) bool {
		return l == "" || l[0] == '-' || l[len(l)-1] == '-' ||
			strings.ContainsFunc(l, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	})
}

// Place implements Target.
func (k *kubernetes) Place() string {
	of := "the current context"
	switch {
	case k.inCluster:
		of = "the cluster that this runs in"
	case k.context != "":
		of = "the context " + k.context
	}
	if k.kubeconfig != "" {
		of += " of " + k.kubeconfig
	}
	return "the Secret " + k.namespace + "/" + k.name + " in " + of
}

// Hosts implements Target. On a machine that has no kubeconfig, nobody knows.
func (k *kubernetes) Hosts(env Env) []string {
	if env.LookupEnv == nil || env.ReadFile == nil {
		return nil
	}
	server := podServer(env)
	if !k.inCluster {
		config, _, err := k.readKubeconfig(env)
		if err != nil {
			return nil
		}
		at, _, err := config.find(k.context)
		if err != nil {
			return nil
		}
		server = at.Cluster.Server
	}
	if host, ok := apiAddress(server); ok {
		return []string{host}
	}
	return nil
}

// Check implements Target.
func (k *kubernetes) Check(names []string) error {
	for _, name := range names {
		if name == "" || len(name) > 253 || name == "." || strings.HasPrefix(name, "..") ||
			strings.ContainsFunc(name, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("-_.", r) }) {
			return fmt.Errorf("%q cannot be a key of a Secret: Kubernetes takes letters, digits, hyphens, underscores and dots, at most 253", name)
		}
	}
	return nil
}

// object is a Secret as far as it is written or looked at.
type object struct {
	APIVersion string             `json:"apiVersion,omitempty"`
	Kind       string             `json:"kind,omitempty"`
	Metadata   objectMeta         `json:"metadata"`
	Type       string             `json:"type,omitempty"`
	Data       map[string]*string `json:"data,omitempty"` // base64; null takes away
}

type objectMeta struct {
	Name            string            `json:"name,omitempty"`
	Namespace       string            `json:"namespace,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
	UID             string            `json:"uid,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	ManagedFields   []managed         `json:"managedFields,omitempty"`
}

// managed says who has written a part of an object.
type managed struct {
	Manager string `json:"manager"`
}

// Publish implements Target. Server-side apply also takes away what the same
// manager wrote before and does not write any more.
func (k *kubernetes) Publish(ctx context.Context, env Env, values []Value) error {
	if len(values) == 0 {
		return nil
	}
	a, env, err := k.connect(env)
	if err != nil {
		return err
	}
	defer env.HTTP.CloseIdleConnections()
	body := object{APIVersion: "v1", Kind: "Secret", Type: k.kind, Data: map[string]*string{},
		Metadata: objectMeta{Name: k.name, Namespace: k.namespace, Labels: k.labels, Annotations: k.notes}}
	var names, secrets []string
	for _, v := range values {
		text := base64.StdEncoding.EncodeToString([]byte(v.Secret.Reveal()))
		body.Data[v.Name], names, secrets = &text, append(names, v.Name), append(secrets, text, v.Secret.Reveal())
	}
	query := url.Values{"fieldManager": {k.manager}, "force": {fmt.Sprint(k.force)}}
	_, err = a.call(ctx, env, request{doing: k.doing("write", a), method: http.MethodPatch, path: k.path() + "?" + query.Encode(), body: body, as: "application/apply-patch+yaml", secret: secrets})
	var e *Error
	if errors.As(err, &e) {
		e.Written = names
	}
	return err
}

// Remove implements Target. A Secret that is empty then, and that nobody else has
// written to, goes as a whole.
func (k *kubernetes) Remove(ctx context.Context, env Env, names []string) error {
	a, env, err := k.connect(env)
	if err != nil {
		return err
	}
	defer env.HTTP.CloseIdleConnections()
	var now object
	r := request{doing: k.doing("read", a), method: http.MethodGet, path: k.path(), out: &now, accept: []int{http.StatusNotFound}}
	if status, err := a.call(ctx, env, r); err != nil || status == http.StatusNotFound {
		return err
	}
	change := object{Metadata: objectMeta{ResourceVersion: now.Metadata.ResourceVersion}, Data: map[string]*string{}}
	for _, name := range names {
		if _, ok := now.Data[name]; ok {
			change.Data[name] = nil
		}
	}
	managers := now.Metadata.ManagedFields
	alone := len(managers) > 0 && !slices.ContainsFunc(managers, func(m managed) bool { return m.Manager != k.manager })
	r = request{doing: k.doing("remove values of", a), path: k.path(), accept: r.accept}
	switch {
	case len(change.Data) == 0:
		return nil
	case len(change.Data) == len(now.Data) && alone:
		r.doing, r.method = k.doing("remove", a), http.MethodDelete
		r.body = map[string]any{"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": map[string]string{"uid": now.Metadata.UID, "resourceVersion": now.Metadata.ResourceVersion}}
	default:
		r.method, r.as, r.body = http.MethodPatch, "application/merge-patch+json", change
		r.path += "?" + url.Values{"fieldManager": {k.manager}}.Encode()
	}
	_, err = a.call(ctx, env, r)
	return err
}

func (k *kubernetes) doing(verb string, a *api) string {
	return verb + " the Secret " + k.namespace + "/" + k.name + " at " + a.base
}

func (k *kubernetes) path() string {
	return "/api/v1/namespaces/" + k.namespace + "/secrets/" + k.name
}

// connect finds the server, and gives the Env a client that speaks to it.
func (k *kubernetes) connect(env Env) (*api, Env, error) {
	find, from := k.fromKubeconfig, "the kubeconfig"
	if k.inCluster {
		find, from = fromPod, "the service account of the pod"
	}
	c, name, err := find(env)
	if err != nil {
		return nil, env, &Error{Kind: Config, Doing: "read " + strings.TrimSpace(from+" "+name), Detail: clean(withoutPath(err).Error()), Err: err,
			Remedy: "correct it, or name another one in the argument kubeconfig"}
	}
	a := &api{base: c.server, where: "the server in the kubeconfig", token: c.token, said: messageOf, remedy: k.remedy}
	if !c.token.Empty() {
		a.sign = a.bearer
	}
	env.HTTP = env.Client(c.tls)
	return a, env, nil
}

func (k *kubernetes) fromKubeconfig(env Env) (*cluster, string, error) {
	config, name, err := k.readKubeconfig(env)
	if err != nil {
		return nil, name, err
	}
	c, err := config.reach(k.context, filepath.Dir(name), env.ReadFile)
	return c, name, err
}

// readKubeconfig finds the kubeconfig, and says which file it is.
func (k *kubernetes) readKubeconfig(env Env) (*kubeconfig, string, error) {
	name := k.kubeconfig
	if name == "" {
		name, _ = env.LookupEnv("KUBECONFIG")
		home, _ := env.LookupEnv("HOME")
		if home == "" {
			home, _ = env.LookupEnv("USERPROFILE") // Windows
		}
		switch {
		case name == "" && home != "":
			name = filepath.Join(home, ".kube", "config")
		case name == "":
			return nil, "", errors.New("there is no KUBECONFIG, and no home directory")
		case len(filepath.SplitList(name)) > 1:
			return nil, "", errors.New("KUBECONFIG names several files, and which one is meant is not clear")
		case !filepath.IsAbs(name):
			return nil, "", errors.New("KUBECONFIG has a relative path, which depends on the directory: write it as an absolute one")
		}
	}
	text, err := env.ReadFile(name)
	if err != nil {
		return nil, name, err
	}
	config, err := parseKubeconfig(text)
	return config, name, err
}

// podServer is the server of the cluster that this runs in; "" outside of one.
func podServer(env Env) string {
	host, _ := env.LookupEnv("KUBERNETES_SERVICE_HOST")
	port, _ := env.LookupEnv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return ""
	}
	return "https://" + net.JoinHostPort(host, port)
}

// fromPod is the cluster that this runs in: what every pod finds.
func fromPod(env Env) (*cluster, string, error) {
	server := podServer(env)
	if server == "" {
		return nil, "", errors.New("there is no KUBERNETES_SERVICE_HOST, so this is not a pod")
	}
	const dir = "/var/run/secrets/kubernetes.io/serviceaccount/"
	ca, err := env.ReadFile(dir + "ca.crt")
	if err != nil {
		return nil, "", err
	}
	token, err := env.ReadFile(dir + "token")
	if err != nil {
		return nil, "", err
	}
	c := newCluster(server)
	c.token = secret.Secret(strings.TrimSpace(string(token)))
	if !isJWT(c.token.Reveal()) {
		return nil, "", errors.New("there is no JWT in its token file")
	}
	return c, "", c.trust(ca)
}

// remedy is what to do about an answer that is no success.
func (k *kubernetes) remedy(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "the credentials are not valid any more: renew those of the kubeconfig"
	case http.StatusForbidden:
		return "give the account the verbs get, create, patch and delete on secrets in the namespace " + k.namespace
	case http.StatusNotFound:
		return "make the namespace: kubectl create namespace " + k.namespace
	case http.StatusConflict:
		return "somebody else owns or has just changed it: apply again, or set force = true to take over what others own"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "see what Kubernetes says of the Secret, correct it, and apply again; to give a Secret another type, remove it first"
	case http.StatusUnsupportedMediaType:
		return "the server is older than Kubernetes 1.22, which has server-side apply"
	}
	return ""
}
