"""A client that is not ours, driven by JSON lines: requests on standard input, answers and events on standard output."""
import asyncio
import json
import sys
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout

PUBSUB = "http://jabber.org/protocol/pubsub"
OWNER = PUBSUB + "#owner"
EVENT = PUBSUB + "#event"


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def text_of(element):
    return ET.tostring(element, encoding="unicode")


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options["jid"], options["password"])
        self.options = options
        self.ca_certs = options["certificate"]
        self.auto_reconnect = False
        for plugin in ("xep_0030", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("failed_all_auth", lambda _: say(event="failed", reason="not-authorized"))
        self.add_event_handler("connection_failed", lambda error: say(event="failed", reason=str(error)))
        self.add_event_handler("disconnected", lambda _: say(event="disconnected"))
        self.register_handler(
            slixmpp.xmlstream.handler.Callback(
                "everything", slixmpp.xmlstream.matcher.StanzaPath("message"), self.on_any_message
            )
        )

    def on_start(self, _):
        say(event="online", jid=str(self.boundjid))

    def on_any_message(self, message):
        sender = str(message["from"])
        for event in message.xml.findall("{%s}event" % EVENT):
            for child in event:
                self.on_event(sender, child)
        if message.xml.find("{%s}event" % EVENT) is None:
            say(event="stanza", sender=sender, xml=text_of(message.xml))
        body = message["body"]
        if body:
            say(event="message", sender=sender, body=body, type=message["type"], id=message["id"])

    def on_event(self, sender, element):
        node = element.get("node")
        if element.tag == "{%s}items" % EVENT:
            for item in element:
                where = {"service": sender, "node": node, "item": item.get("id")}
                if item.tag == "{%s}retract" % EVENT:
                    say(event="retracted", **where)
                else:
                    payload = text_of(item[0]) if len(item) else None
                    say(event="published", payload=payload, publisher=item.get("publisher"), **where)
        else:
            say(event=element.tag.split("}")[1], service=sender, node=node)

    async def ask(self, kind, service, child, owner=False):
        iq = self.make_iq(id=self.new_id(), ito=service or None, itype=kind)
        pubsub = ET.SubElement(iq.xml, "{%s}pubsub" % (OWNER if owner else PUBSUB))
        pubsub.append(child)
        answer = await iq.send(timeout=30)
        return answer.xml.find("{%s}pubsub" % (OWNER if owner else PUBSUB))

    def element(self, name, **attributes):
        return ET.Element("{%s}%s" % (PUBSUB, name), {key: str(value) for key, value in attributes.items()})

    async def do_send(self, xml):
        self.send_raw(xml)

    async def do_iq(self, to, type, payload):
        iq = self.make_iq(id=self.new_id(), ito=to or None, itype=type)
        iq.append(ET.fromstring(payload))
        try:
            answer = await iq.send(timeout=30)
        except IqError as error:
            answer = error.iq
        return text_of(answer.xml)

    async def do_subscribe(self, service, node):
        await self.ask("set", service, self.element("subscribe", node=node, jid=self.boundjid.bare))

    async def do_unsubscribe(self, service, node):
        await self.ask("set", service, self.element("unsubscribe", node=node, jid=self.boundjid.bare))

    async def do_create(self, service, node, config=None):
        create = self.make_iq(id=self.new_id(), ito=service or None, itype="set")
        pubsub = ET.SubElement(create.xml, "{%s}pubsub" % PUBSUB)
        pubsub.append(self.element("create", node=node))
        if config:
            form = ET.SubElement(
                ET.SubElement(pubsub, "{%s}configure" % PUBSUB), "{jabber:x:data}x", {"type": "submit"}
            )
            fields = {"FORM_TYPE": PUBSUB + "#node_config"}
            fields.update({"pubsub#" + key: value for key, value in config.items()})
            for key, value in fields.items():
                field = ET.SubElement(form, "{jabber:x:data}field", {"var": key})
                ET.SubElement(field, "{jabber:x:data}value").text = value
        await create.send(timeout=30)

    async def do_publish(self, service, node, item, payload):
        publish = self.element("publish", node=node)
        wrapper = ET.SubElement(publish, "{%s}item" % PUBSUB, {"id": item} if item else {})
        wrapper.append(ET.fromstring(payload))
        answer = await self.ask("set", service, publish)
        published = answer.find(".//{%s}item" % PUBSUB) if answer is not None else None
        return item or (published.get("id") if published is not None else None)

    async def do_retract(self, service, node, item):
        retract = self.element("retract", node=node, notify="true")
        ET.SubElement(retract, "{%s}item" % PUBSUB, {"id": item})
        await self.ask("set", service, retract)

    async def do_items(self, service, node, ids=None):
        items = self.element("items", node=node)
        for one in ids or []:
            ET.SubElement(items, "{%s}item" % PUBSUB, {"id": one})
        answer = await self.ask("get", service, items)
        found = answer.findall(".//{%s}item" % PUBSUB)
        return [
            {"id": one.get("id"), "publisher": one.get("publisher"), "payload": text_of(one[0]) if len(one) else None}
            for one in found
        ]

    async def do_delete(self, service, node):
        await self.ask("set", service, ET.Element("{%s}delete" % OWNER, {"node": node}), owner=True)

    async def do_message(self, to, body):
        self.send_message(mto=to, mbody=body, mtype="chat")

    async def do_presence(self, priority=0):
        self.send_presence(ppriority=priority)

    async def do_stop(self):
        await self.disconnect(wait=2)


async def serve(client, reader):
    while True:
        line = await reader.readline()
        if not line:
            client.abort()
            return
        request = json.loads(line)
        asyncio.ensure_future(answer(client, request))


async def answer(client, request):
    try:
        result = await getattr(client, "do_" + request["do"])(**request.get("with", {}))
        say(id=request["id"], result=result)
    except IqError as error:
        say(id=request["id"], error=error.condition, text=error.text)
    except IqTimeout:
        say(id=request["id"], error="timeout")
    except Exception as error:
        say(id=request["id"], error=type(error).__name__, text=str(error))


async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    options = json.loads(await reader.readline())
    client = Client(options)
    client.connect((options["host"], options["port"]), force_starttls=True, disable_starttls=False)
    serving = asyncio.ensure_future(serve(client, reader))
    await client.disconnected
    serving.cancel()


asyncio.set_event_loop(asyncio.new_event_loop())
asyncio.get_event_loop().run_until_complete(main())
