// A container runtime reduced to its calls of libcni, for tests.
//
//	cni-driver VERB CONFLIST CACHE [REQUEST]
//
// VERB is validate, add, check, del, gc or status; CONFLIST the path of a network configuration
// list; CACHE libcni's directory of results; REQUEST a JSON object, see request. CNI_PATH names the
// plugins' directories. Standard output gets one JSON object: what libcni gave, or its error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

// limit is for one call, all plugins of the list together.
const limit = 30 * time.Second

// request is what a runtime says of a container, and, for gc, the attachments that it knows.
type request struct {
	ContainerID    string
	NetNS          string
	IfName         string
	Args           [][2]string
	CapabilityArgs map[string]any
	Valid          []types.GCAttachment
}

// answer is what the test reads: at most one of its parts besides Version.
type answer struct {
	// Version that libcni took from the list.
	Version string       `json:"version"`
	Result  types.Result `json:"result,omitempty"`
	Error   *failure     `json:"error,omitempty"`
}

// failure is an error of libcni, or of a plugin with the plugin's own code.
type failure struct {
	Code    uint   `json:"code"`
	Message string `json:"message"`
	Details string `json:"details"`
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: cni-driver VERB CONFLIST CACHE [REQUEST]")
		os.Exit(2)
	}
	out := answer{}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:], &out); err != nil {
		out.Error = describe(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb, path, cache string, rest []string, out *answer) error {
	var asked request
	if len(rest) > 0 {
		if err := json.Unmarshal([]byte(rest[0]), &asked); err != nil {
			return err
		}
	}
	list, err := libcni.NetworkConfFromFile(path)
	if err != nil {
		return err
	}
	out.Version = list.CNIVersion
	cni := libcni.NewCNIConfigWithCacheDir(filepath.SplitList(os.Getenv("CNI_PATH")), cache, nil)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	container := &libcni.RuntimeConf{
		ContainerID:    asked.ContainerID,
		NetNS:          asked.NetNS,
		IfName:         asked.IfName,
		Args:           asked.Args,
		CapabilityArgs: asked.CapabilityArgs,
	}
	switch verb {
	case "validate":
		_, err = cni.ValidateNetworkList(ctx, list)
	case "add":
		out.Result, err = cni.AddNetworkList(ctx, list, container)
	case "check":
		err = cni.CheckNetworkList(ctx, list, container)
	case "del":
		err = cni.DelNetworkList(ctx, list, container)
	case "gc":
		err = cni.GCNetworkList(ctx, list, &libcni.GCArgs{ValidAttachments: asked.Valid})
	case "status":
		err = cni.GetStatusNetworkList(ctx, list)
	default:
		err = fmt.Errorf("cannot run %q: wanted validate, add, check, del, gc or status", verb)
	}
	return err
}

func describe(err error) *failure {
	var plugin *types.Error
	if errors.As(err, &plugin) {
		return &failure{plugin.Code, plugin.Msg, plugin.Details}
	}
	return &failure{Message: err.Error()}
}
