// Measures requests of govpp to a VPP over its API socket. Commands come as lines on standard
// input, "one N" or "pipelined N"; each is answered by one line: microseconds for one request, or
// requests per second. The first line of the output is "ready".
//
// Usage: govpp SOCKET
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sirupsen/logrus"
	"go.fd.io/govpp"
	"go.fd.io/govpp/api"
	"go.fd.io/govpp/binapi/memclnt"
	"go.fd.io/govpp/core"
)

// Requests that wait for their answers at once, as govpp's own benchmark lets them.
const underWay = 1000

func main() {
	if err := run(os.Args[1], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(socket string, commands io.Reader) error {
	core.SetLogger(&logrus.Logger{Out: io.Discard, Formatter: &logrus.TextFormatter{}, Level: logrus.PanicLevel})
	connection, err := govpp.Connect(socket)
	if err != nil {
		return err
	}
	defer connection.Disconnect()
	channel, err := connection.NewAPIChannelBuffered(underWay, underWay)
	if err != nil {
		return err
	}
	defer channel.Close()
	channel.SetReplyTimeout(10 * time.Second)
	fmt.Println("ready")
	for lines := bufio.NewScanner(commands); lines.Scan(); {
		var what string
		var count int
		if _, err := fmt.Sscan(lines.Text(), &what, &count); err != nil {
			return fmt.Errorf("cannot read %q: %w", lines.Text(), err)
		}
		start := time.Now()
		switch what {
		case "one":
			if err := oneByOne(channel, count); err != nil {
				return err
			}
			fmt.Println(float64(time.Since(start).Nanoseconds()) / 1e3 / float64(count))
		case "pipelined":
			if err := pipelined(channel, count); err != nil {
				return err
			}
			fmt.Println(float64(count) / time.Since(start).Seconds())
		default:
			return fmt.Errorf("cannot measure %q: wanted one or pipelined", what)
		}
	}
	return nil
}

func oneByOne(channel api.Channel, count int) error {
	for range count {
		reply := &memclnt.ControlPingReply{}
		if err := channel.SendRequest(&memclnt.ControlPing{}).ReceiveReply(reply); err != nil {
			return err
		}
	}
	return nil
}

func pipelined(channel api.Channel, count int) error {
	requests := make(chan api.RequestCtx, underWay)
	go func() {
		for range count {
			requests <- channel.SendRequest(&memclnt.ControlPing{})
		}
		close(requests)
	}()
	for request := range requests {
		if err := request.ReceiveReply(&memclnt.ControlPingReply{}); err != nil {
			return err
		}
	}
	return nil
}
