"""An XMPP client that is not ours, driven by JSON lines: a command a line in, answers and events a line out."""

import asyncio
import json
import sys
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0004.stanza import Form
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

PUBSUB_EVENT = "{http://jabber.org/protocol/pubsub#event}"


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options["jid"], options["password"])
        self.options = options
        if options.get("ca"):
            self.ca_certs = options["ca"]
        for plugin in ("xep_0030", "xep_0004", "xep_0060", "xep_0163", "xep_0199", "xep_0184"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("failed_auth", lambda _: say({"event": "failed"}))
        self.add_event_handler("message", self.on_message)
        self.register_handler(Callback("Any pubsub event", StanzaPath("message/pubsub_event"), self.on_event))

    async def on_session(self, _):
        # Events of a node reach only a client that has said it is there.
        if self.options.get("presence", True):
            self.send_presence()
        say({"event": "online", "jid": self.boundjid.full})

    def on_event(self, message):
        for event in message.xml.findall(PUBSUB_EVENT + "event"):
            self.on_pubsub(str(message["from"]), event)

    def on_message(self, message):
        if message["body"]:
            say({"event": "message", "from": str(message["from"]), "body": message["body"]})

    def on_pubsub(self, service, event):
        for items in event.findall(PUBSUB_EVENT + "items"):
            for child in items:
                kind = "published" if child.tag == PUBSUB_EVENT + "item" else "retracted"
                payload = ET.tostring(child[0], "unicode") if len(child) else None
                say({
                    "event": kind,
                    "service": service,
                    "node": items.get("node"),
                    "item": child.get("id"),
                    "publisher": child.get("publisher"),
                    "payload": payload,
                })
        for kind in ("purge", "delete"):
            for element in event.findall(PUBSUB_EVENT + kind):
                say({"event": kind, "service": service, "node": element.get("node")})

    async def do_subscribe(self, service, node):
        await self["xep_0060"].subscribe(service, node)

    async def do_unsubscribe(self, service, node):
        await self["xep_0060"].unsubscribe(service, node)

    async def do_publish(self, service, node, item, payload):
        await self["xep_0060"].publish(service, node, id=item, payload=ET.fromstring(payload))

    async def do_retract(self, service, node, item):
        await self["xep_0060"].retract(service, node, item, notify=True)

    async def do_items(self, service, node, item=None):
        answer = await self["xep_0060"].get_items(service, node, item_ids=[item] if item else None)
        found = []
        for one in answer.xml.iter("{http://jabber.org/protocol/pubsub}item"):
            payload = ET.tostring(one[0], "unicode") if len(one) else None
            found.append({
                "id": one.get("id"),
                "publisher": one.get("publisher"),
                "payload": payload,
                "xml": ET.tostring(one, "unicode"),
            })
        return found

    async def do_create(self, service, node, config):
        form = Form()
        form["type"] = "submit"
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#node_config")
        for name, value in config.items():
            form.add_field(var="pubsub#" + name, value=value)
        await self["xep_0060"].create_node(service, node, config=form)

    async def do_configure(self, service, node, config):
        form = Form()
        form["type"] = "submit"
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#node_config")
        for name, value in config.items():
            form.add_field(var="pubsub#" + name, value=value)
        await self["xep_0060"].set_node_config(service, node, form)

    async def do_delete(self, service, node):
        await self["xep_0060"].delete_node(service, node)

    async def do_purge(self, service, node):
        await self["xep_0060"].purge(service, node)

    async def do_message(self, to, body):
        self.send_message(mto=to, mbody=body, mtype="chat")

    async def do_presence(self):
        self.send_presence()

    async def do_end(self):
        await self.disconnect()

    async def obey(self, line):
        command = json.loads(line)
        try:
            result = await getattr(self, "do_" + command["do"])(**command.get("with", {}))
            say({"id": command["id"], "result": result})
        except IqError as error:
            say({"id": command["id"], "error": error.condition, "text": error.text})
        except IqTimeout:
            say({"id": command["id"], "error": "timeout"})
        except Exception as error:  # the test is told, whatever it was
            say({"id": command["id"], "error": repr(error)})


async def read_commands(client):
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    transport, _ = await client.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    working = set()
    while line := await reader.readline():
        task = client.loop.create_task(client.obey(line))
        working.add(task)
        task.add_done_callback(working.discard)
    transport.close()
    client.loop.stop()


def main():
    options = json.loads(sys.argv[1])
    client = Client(options)
    client.connect((options["host"], options["port"]), force_starttls=True)
    # Held, for the loop itself keeps no strong reference to its tasks.
    commands = client.loop.create_task(read_commands(client))
    client.loop.run_forever()
    commands.cancel()


main()
