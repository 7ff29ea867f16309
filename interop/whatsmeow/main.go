// A whatsmeow client that links by QR and by code, resumes, holds on and logs out against a simulated server.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
)

const patience = 60 * time.Second

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(mode string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	if err := trustSimulator(); err != nil {
		return err
	}
	httpClient, err := simulatorHTTP()
	if err != nil {
		return err
	}
	logger := waLog.Stdout("client", "WARN", false)
	container, err := sqlstore.New(ctx, "sqlite3", "file:"+os.Getenv("STORE")+"?_foreign_keys=on", logger)
	if err != nil {
		return err
	}
	defer container.Close()
	device, err := container.GetFirstDevice(ctx)
	if err != nil {
		return err
	}
	client := whatsmeow.NewClient(device, logger)
	client.SetWebsocketHTTPClient(httpClient)
	client.SetPreLoginHTTPClient(httpClient)

	online := make(chan struct{}, 16)
	failed := make(chan string, 16)
	ended := make(chan string, 16)
	client.AddEventHandler(func(evt any) {
		switch v := evt.(type) {
		case *events.PairSuccess:
			fmt.Println("PAIRED", v.ID)
		case *events.Connected:
			online <- struct{}{}
		case *events.LoggedOut:
			ended <- "REMOVED"
		case *events.StreamReplaced:
			ended <- "REPLACED"
		case *events.PairError, *events.ConnectFailure, *events.ClientOutdated, *events.TemporaryBan:
			failed <- fmt.Sprintf("%T %+v", v, v)
		}
	})

	if mode == "link" || mode == "code" {
		if client.Store.ID != nil {
			return fmt.Errorf("the store is linked already")
		}
		qr, err := client.GetQRChannel(ctx)
		if err != nil {
			return err
		}
		go func() {
			asked := false
			for item := range qr {
				if item.Event == whatsmeow.QRChannelEventCode {
					if mode == "link" {
						fmt.Println("QR", item.Code)
					} else if !asked {
						asked = true
						code, err := client.PairPhone(ctx, os.Getenv("PHONE"), true, whatsmeow.PairClientChrome, "Chrome (Linux)")
						if err != nil {
							failed <- fmt.Sprintf("asking for a code: %v", err)
							return
						}
						fmt.Println("CODE", code)
					}
				} else if item.Event != "success" {
					failed <- fmt.Sprintf("QR channel: %s %v", item.Event, item.Error)
				}
			}
		}()
	} else if client.Store.ID == nil {
		return fmt.Errorf("the store is not linked")
	}
	if err := client.ConnectContext(ctx); err != nil {
		return err
	}
	defer client.Disconnect()

	if err := awaitOnline(ctx, client, online, failed, ended); err != nil {
		return err
	}
	if mode == "hold" {
		return hold(ctx, client, online, failed, ended)
	}
	if mode == "logout" {
		if err := client.Logout(ctx); err != nil {
			return fmt.Errorf("logout: %w", err)
		}
		fmt.Println("LOGGED_OUT")
	}
	return nil
}

// awaitOnline waits for a login and asks for something, which shows that the session works both ways.
func awaitOnline(ctx context.Context, client *whatsmeow.Client, online <-chan struct{}, failed, ended <-chan string) error {
	select {
	case <-online:
	case why := <-failed:
		return fmt.Errorf("not online: %s", why)
	case why := <-ended:
		return fmt.Errorf("not online: %s", why)
	case <-time.After(patience):
		return fmt.Errorf("not online after %s", patience)
	}
	fmt.Println("ONLINE", client.Store.ID)
	if _, err := client.GetUserDevices(ctx, jids(client)); err != nil {
		// A restart may come between; the next login asks again.
		fmt.Fprintln(os.Stderr, "asking for the own devices:", err)
		return nil
	}
	fmt.Println("PONG")
	return nil
}

// hold stays connected through restarts until another connection or the phone ends it.
func hold(ctx context.Context, client *whatsmeow.Client, online chan struct{}, failed, ended chan string) error {
	for {
		select {
		case how := <-ended:
			fmt.Println(how)
			return nil
		case why := <-failed:
			return fmt.Errorf("while holding: %s", why)
		case <-online:
			online <- struct{}{}
			if err := awaitOnline(ctx, client, online, failed, ended); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// trustSimulator replaces the root of the Noise certificate chain.
func trustSimulator() error {
	root, err := hex.DecodeString(os.Getenv("SIM_NOISE_ROOT"))
	if err != nil || len(root) != len(whatsmeow.WACertPubKey) {
		return fmt.Errorf("SIM_NOISE_ROOT must be 32 bytes in hex")
	}
	copy(whatsmeow.WACertPubKey[:], root)
	return nil
}

// simulatorHTTP dials the simulator whatever host is asked for, and trusts its TLS certificate.
func simulatorHTTP() (*http.Client, error) {
	pem, err := os.ReadFile(os.Getenv("SIM_CA"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("SIM_CA holds no certificate")
	}
	addr := os.Getenv("SIM_TLS_ADDR")
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		},
	}}, nil
}

func jids(client *whatsmeow.Client) []types.JID {
	return []types.JID{client.Store.ID.ToNonAD()}
}
