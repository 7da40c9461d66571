"""What models answer instead of a description, in every language, and descriptions that only look like it."""

from __future__ import annotations

import json

import pytest

from imgcore.captioning.reading import DeclinedError, read
from imgcore.gallery import languages

# what is no description

NO_DESCRIPTION = [
    "As an AI, describing people is not possible.", "As an AI developed by Example, I cannot do that.",
    "I'm an AI assistant and see no photo.", "This violates our content policy.",
    "A photo. As an AI language model, I see no more.", "Describing it would be against my safety guidelines.",
    "Description unavailable.", "The image is not available.", "Alt text not provided",
    "Caption could not be generated.", "error: image not found", "Error 500: description unavailable",
    "Error: I cannot see the image.", "Error:", "Fehler: Bild nicht gefunden",
    "Beschreibung nicht verfügbar", "Description non disponible", "Image introuvable",
    "Descripción no disponible", "Descrizione non disponibile", "Descrição indisponível",
    "Beschrijving niet beschikbaar", "Opis niedostępny", "画像が見つかりません", "説明はありません。",
    "이미지를 찾을 수 없습니다.",
    "申し訳ございません。", "この画像の内容を確認することができません。", "AIとして、画像を見られません。",
    "無法描述此圖片。", "图片无法显示。", "죄송합니다.", "Bu resmi analiz edemiyorum.",
    "Das Bild konnte nicht geladen werden.",
]  # fmt: skip
REFUSED = {
    "ar": "عذراً، لا أستطيع وصف هذه الصورة.", "bg": "Съжалявам, не мога да опиша това изображение.",
    "ca": "Ho sento, no puc descriure aquesta imatge.", "cs": "Omlouvám se, ale tento obrázek nemohu popsat.",
    "da": "Beklager, jeg kan ikke beskrive billedet.", "de": "Dieses Bild kann ich leider nicht beschreiben.",
    "el": "Λυπάμαι, δεν μπορώ να περιγράψω την εικόνα.", "en": "I can't describe this photo.",
    "es": "No puedo describir esta imagen.", "et": "Vabandust, ma ei saa seda pilti kirjeldada.",
    "eu": "Barkatu, ezin dut irudi hau deskribatu.", "fa": "متأسفم، نمی‌توانم این تصویر را توصیف کنم.",
    "fi": "En voi kuvailla tätä kuvaa.", "fr": "Je ne peux pas décrire cette image.",
    "ga": "Tá brón orm, ní féidir liom an íomhá seo a thuairisciú.", "he": "מצטער, אני לא יכול לתאר את התמונה.",
    "hi": "मैं इस छवि का वर्णन नहीं कर सकता।", "hr": "Ne mogu opisati ovu sliku.",
    "hu": "Sajnálom, nem tudom leírni a képet.", "id": "Maaf, saya tidak dapat mendeskripsikan gambar ini.",
    "is": "Því miður get ég ekki lýst myndinni.", "it": "Non posso descrivere questa immagine.",
    "ja": "画像を説明できません。", "ko": "이 이미지를 설명할 수 없습니다.",
    "lt": "Atsiprašau, negaliu apibūdinti šio vaizdo.", "lv": "Atvainojiet, es nevaru aprakstīt šo attēlu.",
    "nl": "Ik kan deze afbeelding niet beschrijven.", "no": "Jeg kan ikke beskrive bildet.",
    "pl": "Nie mogę opisać tego obrazu.", "pt": "Não posso descrever esta imagem.",
    "ro": "Îmi pare rău, nu pot descrie această imagine.", "ru": "Я не могу описать это изображение.",
    "sk": "Prepáčte, tento obrázok nemôžem opísať.", "sl": "Žal ne morem opisati te slike.",
    "sr": "Жао ми је, не могу да опишем ову слику.", "sv": "Jag kan inte beskriva bilden.",
    "th": "ขออภัย ฉันไม่สามารถอธิบายภาพนี้ได้", "tr": "Üzgünüm, bu görüntüyü tanımlayamıyorum.",
    "uk": "Вибачте, я не можу описати це зображення.", "vi": "Xin lỗi, tôi không thể mô tả hình ảnh này.",
    "zh": "无法描述这张图片。",
}  # fmt: skip


def answer(said: str, alternative: str) -> str:
    return json.dumps({"caption": said, "alt_text": alternative, "tags": ["cat"], "safety": "ok"})


@pytest.mark.parametrize("said", NO_DESCRIPTION)
def test_answer_without_a_description_is_declined(said: str) -> None:
    with pytest.raises(DeclinedError):
        read(answer(said, said))


@pytest.mark.parametrize("code", sorted(languages._NAMES))
def test_refusal_is_recognized_in_every_language_that_is_offered(code: str) -> None:
    with pytest.raises(DeclinedError):
        read(answer(REFUSED[code], REFUSED[code]))


DESCRIPTIONS = [
    "As an AI-themed mural fills the wall, two people pass.", "As an AI researcher speaks, students listen.",
    "As an artificial lake reflects the sky, birds land.", "As a text scrolls by, people wait.",
    "A tent stands on the grass, violating park policies.", "People march against government policies.",
    "Workers wear helmets to comply with safety guidelines.",
    'A man holds a sign: "As an AI language model I cannot vote".',
    "A mug says 'As an AI, I can't drink this'.",
    "Auf einem Plakat steht „Als Sprachmodell wähle ich nicht“.", "Una mujer posa como modelo de alta costura.",
    "Als künstliche Blume verkleidetes Kind", "Jako model pozuje kobieta.",
    "Une femme pose en tant que modèle pour un peintre.", "Error: a red dialog on a laptop.",
    "Photo missing from a frame on a wall.", "Unknown soldier's grave with flowers.",
    "霧で山頂を確認できません。", "Deja vu, says a mural.", "Ei saa suitsetada, ütleb silt.",
    "Bir yapay zeka konferansında insanlar.",
]  # fmt: skip


@pytest.mark.parametrize("said", DESCRIPTIONS)
def test_description_that_only_looks_like_a_refusal_is_kept(said: str) -> None:
    assert said == read(answer(said, "A cat.")).caption
