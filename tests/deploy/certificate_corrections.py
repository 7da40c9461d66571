"""The certificate of a distribution, as AWS has it: further corrections of the stand-in, for aws_corrections.

Source: ViewerCertificate in the CloudFront API reference. A read names the certificate a second time, in
Certificate and CertificateSource, which are deprecated; a write that has them has to name the same one: AWS's
refusals are quoted in https://github.com/dlapiduz/certbot-s3front/issues/12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

Answer = tuple[int, dict[str, str], bytes]
# The fields of which one says what the certificate is, and the source that AWS names for each.
SOURCES = {"CloudFrontDefaultCertificate": "cloudfront", "IAMCertificateId": "iam", "ACMCertificateArn": "acm"}
DEFAULT = "CloudFrontDefaultCertificate"


def faults(given: dict[str, str]) -> Iterator[str]:
    """Yield what AWS does not take in a ViewerCertificate, as it is written."""
    named = [name for name in SOURCES if given.get(name, "false") not in ("false", "")]
    if len(named) > 1:
        yield f"Exactly one of {', '.join(SOURCES)} can be specified; found {' and '.join(named)}."
    for name in named or [DEFAULT]:
        if given.get("CertificateSource", SOURCES[name]) != SOURCES[name]:
            yield f'Cannot specify {name} and a CertificateSource not equal to "{SOURCES[name]}".'
        if name != DEFAULT and given.get("Certificate", given[name]) != given[name]:
            yield f"Your {name} does not match the given Certificate field."
        if name != DEFAULT and not given.get("SSLSupportMethod"):
            yield f"You must specify SSLSupportMethod with {name}."


def shown(given: dict[str, str]) -> dict[str, str]:
    """Return a ViewerCertificate as a read has it: TLSv1 whatever was wished with CloudFront's own."""
    name = next((name for name in ("ACMCertificateArn", "IAMCertificateId") if given.get(name)), "")
    if not name:
        method = {"SSLSupportMethod": "vip", "MinimumProtocolVersion": "TLSv1"}
        return {DEFAULT: "true", **method, "CertificateSource": "cloudfront"}
    return {
        DEFAULT: "false",
        name: given[name],
        "SSLSupportMethod": given["SSLSupportMethod"],
        "MinimumProtocolVersion": given.get("MinimumProtocolVersion", "TLSv1"),
        "Certificate": given[name],
        "CertificateSource": SOURCES[name],
    }


def certificates() -> None:
    """Refuse two certificates at once, and return the one in effect with what AWS adds."""
    from ministack.services import cloudfront

    create, update = cloudfront._create_distribution, cloudfront._update_distribution

    def certificate(root: Element) -> Element:
        """Return the element of the certificate, which is added if none was sent."""
        with_tags = cloudfront._local_tag_name(root) == "DistributionConfigWithTags"
        config = cloudfront._find(root, "DistributionConfig") if with_tags else root
        found: Element | None = cloudfront._find(config, "ViewerCertificate")
        if found is None:
            space = config.tag.removesuffix("DistributionConfig")
            found = SubElement(config, f"{space}ViewerCertificate")
        return found

    def checked(act: Callable[..., Answer], body: bytes, *given: Any) -> Answer:
        root = cloudfront._parse_body(body)
        if root is None:
            return act(*given, body)
        element = certificate(root)
        fields = {cloudfront._local_tag_name(each): each.text or "" for each in element}
        for message in faults(fields):
            refused: Answer = cloudfront._error("InvalidViewerCertificate", message, 400)
            return refused
        space = element.tag.removesuffix("ViewerCertificate")
        element.clear()
        for name, text in shown(fields).items():
            SubElement(element, space + name).text = text
        return act(*given, tostring(root))

    cloudfront._create_distribution = lambda headers, body: checked(create, body, headers)
    cloudfront._update_distribution = lambda id, headers, body: checked(update, body, id, headers)


CORRECTIONS: tuple[Callable[[], None], ...] = (certificates,)
