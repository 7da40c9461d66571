"""What models write around a description or instead of one, in the languages of captions. Pure data.

Each entry is a regular expression, matched without regard to case. A language that is missing here keeps its
wrapping; nothing else depends on it.
"""

from __future__ import annotations

# Names of the fields, as a label before a colon: "Caption:", "Alt text:", "Bildunterschrift:".
LABELS = (
    # English
    r"(?:(?:image|photo|picture)\s+)?(?:caption|description|title|summary)",
    r"alt(?:ernative)?[\s_-]*(?:text|description|tag|attribute)?",
    r"(?:image|photo|photograph|picture|answer|output|response|result)",
    # German
    r"(?:bild|foto)?(?:unterschrift|beschreibung|titel)|alternativ[-\s]?text|alt-text|beschriftung|bild|foto",
    # French
    r"légende(?:\s+de\s+(?:la\s+photo|l['’]image))?|texte\s+alt(?:ernatif)?|titre",
    # Spanish, Portuguese, Italian
    r"leyenda|pie\s+de\s+foto|descripción|título|texto\s+alt(?:ernativo)?|imagen",
    r"legenda|descrição|texto\s+alternativo|imagem",
    r"didascalia|descrizione|titolo|testo\s+alternativo|immagine",
    # Dutch, Swedish, Danish, Norwegian
    r"bijschrift|onderschrift|beschrijving|alternatieve\s+tekst|afbeelding",
    r"bildtext|beskrivning|billedtekst|beskrivelse|bildetekst|alt-?tekst",
    # Polish, Czech, Croatian
    r"podpis|opis|tekst\s+alternatywny|popisek|popis|alternativní\s+text|opis\s+(?:slike|fotografije)",
    # Chinese, Japanese, Korean
    r"标题|说明|图片说明|替代文本|キャプション|説明|代替テキスト|캡션|설명|대체\s*텍스트",
)  # fmt: skip

# A sentence that only says that a description follows.
CHATTER = (
    # English
    r"(?:sure(?:\s+thing)?|certainly|of\s+course|absolutely|okay|ok|great|no\s+problem|gladly)\b\s*[,!.:–—-]+\s*",
    r"(?:here(?:['’]s|\s+(?:is|are|you\s+go))|below\s+is|this\s+is|the\s+following\s+is)\b"
    r"(?:(?!\.\s)[^:\n]){0,80}?"
    r"\b(?:caption|description|alt[\s_-]*text|json|answer|response|result|tags|summary)\b[^:.!?\n]{0,60}:\s*",
    r"here\s+(?:you\s+go|it\s+is)\s*[:.!]\s*",
    # German
    r"(?:klar|gerne?|natürlich|selbstverständlich|sicher)\b\s*[,!.:–—-]+\s*",
    r"hier\s+(?:ist|sind|kommt)\b[^:\n]{0,80}:\s*",
    # French
    r"(?:bien\s+sûr|certainement|d['’]accord|avec\s+plaisir)\b\s*[,!.:–—-]+\s*",
    r"voici\b[^:\n]{0,80}:\s*",
    # Spanish, Portuguese, Italian
    r"[¡]?(?:claro(?:\s+que\s+sí)?|por\s+supuesto|con\s+gusto|com\s+certeza|claro\s+que\s+sim|certo|certamente)\b\s*[,!.:–—-]+\s*",
    r"(?:aquí\s+(?:está|tienes?)|aqui\s+está|ecco)\b[^:\n]{0,80}:\s*",
    # Dutch, Swedish, Danish, Norwegian, Polish
    r"(?:natuurlijk|zeker|självklart|naturligtvis|selvfølgelig|oczywiście|jasne)\b\s*[,!.:–—-]+\s*",
    r"(?:hier\s+is|här\s+är|her\s+er|oto)\b[^:\n]{0,80}:\s*",
    # Chinese, Japanese
    r"(?:当然|好的|以下是|もちろん|はい、|以下は)[^:：\n]{0,30}[:：!！,，。、]\s*",
)  # fmt: skip

# A last sentence that offers more.
GOODBYE = (
    r"(?:let\s+me\s+know|i\s+hope\s+(?:this|that)|hope\s+(?:this|that)\s+helps|would\s+you\s+like|do\s+you\s+want"
    r"|feel\s+free|is\s+there\s+anything|if\s+you(?:['’]d|\s+would|\s+need|\s+want))\b.*",
    r"(?:lass(?:en\s+sie)?\s+(?:mich|es\s+mich)\s+wissen|ich\s+hoffe,?\s+(?:das|dies))\b.*",
    r"(?:n['’]hésitez\s+pas|j['’]espère\s+que|espero\s+que\s+(?:esto|isso)|spero\s+che)\b.*",
)

# What a screen reader says anyway, and what a caption need not: "Image of", "The photo shows".
IMAGE_OF = (
    # English
    r"(?:(?:here|this|it)\s+(?:is|shows)\s+)?(?:in\s+)?(?:(?:an?|the|this|that)\s+)?"
    r"(?:image|photo|photograph|picture|pic|snapshot)"
    r"(?:\s+(?:of|showing|shows|show|depicting|depicts|featuring|features|captures|contains|displays|is\s+of)\b[\s:,]*"
    r"|\s*:\s+)",
    r"in\s+(?:the|this)\s+(?:image|photo|photograph|picture)\s*,\s*(?:we\s+(?:can\s+)?see\s+|there\s+(?:is|are)\s+)?",
    r"(?:the|this)\s+(?:image|photo|photograph|picture)\s+(?:appears|seems)\s+to\s+(?:show|depict|be\s+of)\s+",
    # German
    r"(?:(?:ein|das|dieses|auf\s+dem)\s+)?(?:bild|foto|fotografie|aufnahme)\s+(?:von\s+|zeigt\s+|:\s*)",
    # French
    r"(?:(?:une?|la|cette|l['’]|cette\s+)\s*)?(?:image|photo|photographie)\s+"
    r"(?:(?:de\s+(?=un|une|deux|trois|plusieurs|[lL][ae]s?\s))|d['’](?=une?\s)|montrant\s+|montre\s+|représentant\s+|représente\s+)",
    # Spanish, Portuguese, Italian
    r"(?:(?:una?|la|esta)\s+)?(?:imagen|foto|fotografía)\s+(?:de\s+(?!la\b|los\b|las\b)|que\s+muestra\s+|muestra\s+|mostrando\s+)",
    r"(?:(?:uma?|a|esta)\s+)?(?:imagem|foto|fotografia)\s+(?:de\s+|que\s+mostra\s+|mostra\s+|mostrando\s+)",
    r"(?:(?:un['’]?|una|la|l['’]|questa\s+)\s*)?(?:immagine|foto|fotografia)\s+(?:di\s+|che\s+mostra\s+|mostra\s+)",
    # Dutch, Swedish, Danish, Norwegian
    r"(?:(?:een|de|deze)\s+)?(?:afbeelding|foto)\s+(?:van\s+|toont\s+|met\s+daarop\s+)",
    r"(?:(?:en|ett|et)\s+)?(?:bild|foto|billede|bilde)\s+(?:på|av|af)\s+|(?:bilden|billedet|bildet)\s+(?:visar|viser)\s+",
    # Polish, Croatian
    r"(?:zdjęcie|obraz|fotografia)\s+(?:przedstawia(?:jące)?|pokazuje)\s+|(?:slika|fotografija)\s+prikazuje\s+",
    # Chinese, Japanese
    r"(?:这张|这幅|该)?(?:图片|照片|图像)(?:中)?(?:显示了?|展示了?)[,，]?|(?:この)?(?:画像|写真)(?:は|には)、?",
)  # fmt: skip

# The beginning of a text that declines, or that says there is nothing to describe.
REFUSALS = (
    # English
    r"(?:i['’]?\s*a?m\s+|we(?:['’]re|\s+are)\s+)?(?:(?:so|very|really|terribly)\s+)?sorry\b\W*(?:$|but\b|i\b|that\b|this\b|the\s+image|there\b|no\b)",
    r"(?:my\s+)?apologies\b|i\s+(?:must\s+)?apologi[sz]e\b",
    r"(?:unfortunately|regrettably|however|sorry)?\W*(?:i|we)(?:['’]m|\s+am|['’]re|\s+are)?\s*"
    r"(?:can(?:not|['’]?t)|can\s+not|could(?:\s+not|n['’]?t)|won['’]?t|will\s+not|don['’]?t|do\s+not|did(?:\s+not|n['’]?t)|am\s+not|not\s+able|unable"
    r"|must\s+decline|have\s+to\s+decline|decline|need\s+(?:the|an|you)|was\s+unable|was\s+not\s+able|cannot)\b",
    r"as\s+an?\s+(?:ai|artificial|large\s+language|language|multimodal|virtual|text)\b|i(?:['’]m|\s+am)\s+(?:just\s+|only\s+)?an?\s+(?:ai|language\s+model|large|text|virtual|assistant)\b",
    r"(?:please|kindly|could\s+you|can\s+you|would\s+you)\s+(?:please\s+)?(?:re-?)?(?:provide|upload|share|attach|send|include|give|supply|paste|submit|try)\b",
    r"(?:unable|not\s+able|impossible|failed|not\s+possible)\s+to\s+(?:describe|process|view|analy[sz]e|help|assist|provide|comply|generate|access|fulfil+|display|load|open|caption|create)\b",
    r"(?:cannot|can['’]?t|could\s+not|won['’]?t)\s+(?:be\s+)?(?:describe|process|view|analy[sz]e|help|assist|provide|comply|generate|access|display|load|caption|fulfil)",
    r"(?:no|there\s+(?:is|was)\s+no|there(?:['’]s|\s+isn['’]?t\s+an?)|without\s+an?)\s+(?:image|photo|picture|photograph|file|attachment|input)s?\s*(?:$|[.!]|(?:to\s+describe|(?:has|have|was|were|is)\s+(?:been\s+)?|here\b|attached|provided|uploaded|given|available|found|included|supplied|visible|shown|in\s+(?:your|the|this)\s+(?:message|request|prompt)))",
    r"(?:it\s+(?:seems|appears|looks\s+like)|it['’]s\s+possible)\s+(?:that\s+|like\s+)?(?:there\s+(?:is|was)\s+no\s+(?:image|photo|picture|file)|no\s+(?:image|photo|picture|file)|you\s+(?:have\s+not|haven['’]?t|forgot|did)|the\s+(?:image|photo|picture)\s+(?:did|was\s+not|wasn['’]?t|is\s+missing|failed|has\s+not|could))",
    r"(?:the|this|your)\s+(?:image|photo|picture|photograph|content|request|file)\s+(?:(?:could\s+not|couldn['’]?t|cannot|can['’]?t)\s+be\s+(?:processed|loaded|displayed|described|found|accessed|opened|analy[sz]ed|viewed|shown|shared)|failed\s+to|(?:was\s+not|wasn['’]?t|is\s+not|isn['’]?t)\s+(?:available|accessible|attached|provided|uploaded|included|loaded|found|received)|(?:did\s+not|didn['’]?t)\s+(?:load|upload|come|arrive)|(?:may\s+|might\s+)?violates?|goes\s+against|is\s+missing|(?:has\s+been|was)\s+(?:blocked|removed|flagged|rejected|denied))\b",
    r"(?:content|request|response|description)\s+(?:(?:was|is|has\s+been)\s+)?(?:blocked|filtered|withheld|removed|denied|rejected|redacted)\b|\[(?:redacted|blocked|filtered|removed|content)\b",
    # German
    r"(?:es\s+)?tut\s+mir\s+(?:wirklich\s+)?leid|entschuldigung\b|leider\s+(?:kann|ist|wurde|darf|sehe)\b|ich\s+(?:kann|darf|bin\s+(?:nicht|ein)|sehe\s+kein|habe\s+kein)\b|als\s+(?:ki|künstliche|sprachmodell|eine?\s+ki)\b|bitte\s+(?:lade|stelle?n?|senden?|geben?|teilen?|fügen?|laden)\b|(?:es\s+wurde\s+)?kein\s+(?:bild|foto)\s+(?:vorhanden|angehängt|hochgeladen|übermittelt|bereitgestellt|gefunden)",
    # French
    r"(?:je\s+suis\s+)?(?:désolée?|navrée?)\b|je\s+(?:ne\s+(?:peux|suis|vois|parviens)|m['’]excuse|regrette)\b|en\s+tant\s+qu['’](?:ia|intelligence|assistant|un)\b|en\s+tant\s+que\s+(?:modèle|assistant)|(?:veuillez|merci\s+de|pouvez-vous)\s+(?:me\s+)?(?:fournir|télécharger|partager|envoyer|joindre)\b|impossible\s+de\s+(?:décrire|traiter|voir|analyser)\b|aucune\s+(?:image|photo)\s+(?:n['’]|fournie|jointe)",
    # Spanish, Portuguese, Italian
    r"lo\s+(?:siento|lamento)\b|no\s+(?:puedo|es\s+posible\s+describir|veo\s+ninguna|se\s+(?:ha|puede))\b|como\s+(?:ia|una?\s+ia|modelo\s+de\s+lenguaje|inteligencia|asistente)\b|por\s+favor,?\s+(?:proporcion|sub|env|compart|adjunt|forne)\w+|desculpe?\b|sinto\s+muito\b|lamento\b|(?:eu\s+)?não\s+(?:posso|consigo|é\s+possível\s+descrever|vejo\s+nenhuma)\b|como\s+(?:uma?\s+)?(?:modelo\s+de\s+linguagem|inteligência)|mi\s+(?:dispiace|scuso|spiace)\b|non\s+(?:posso|riesco|sono\s+in\s+grado|è\s+possibile\s+descrivere|vedo\s+(?:alcuna|nessuna))\b|in\s+quanto\s+(?:ia|intelligenza|modello)|come\s+(?:ia|modello\s+linguistico|intelligenza)\b|(?:per\s+favore|si\s+prega\s+di),?\s+(?:fornisc|caric|invi|condivid)\w+",
    # Dutch, Swedish, Danish, Norwegian, Polish, Croatian
    r"(?:het\s+)?spijt\s+me\b|sorry,?\s+(?:maar\s+)?ik\b|helaas\s+kan\b|ik\s+(?:kan|ben\s+niet|zie\s+geen)\b|als\s+(?:een\s+)?(?:ai|taalmodel)\b|(?:jag|jeg)\s+(?:kan\s+(?:inte|ikke)|beklagar|beklager)\b|(?:tyvärr|desværre|dessverre|beklager)\b|som\s+(?:en\s+)?(?:ai|språkmodell|sprogmodel)\b|(?:przepraszam|przykro\s+mi|niestety)\b|nie\s+(?:mogę|jestem\s+w\s+stanie|widzę)\b|jako\s+(?:model|ai|sztuczna)\b|žao\s+mi\s+je\b|nažalost\b|ne\s+mogu\b",
    # Chinese, Japanese, Korean
    r"(?:很|非常)?抱歉|对不起|我(?:无法|不能)|作为(?:一个)?(?:AI|人工智能|语言模型)|请(?:提供|上传)|申し訳|すみません|ごめんなさい|(?:画像|写真)を(?:提供|アップロード)|죄송|이미지를\s*(?:제공|업로드)",
)  # fmt: skip

# Anywhere in a text: a model that speaks of itself.
SELF = (
    r"\b(?:as\s+an\s+ai|as\s+a\s+(?:large\s+)?language\s+model|my\s+(?:guidelines|programming|training)"
    r"|(?:violat\w+|against|compl\w+\s+with)\b[^.]{0,40}\b(?:polic(?:y|ies)|guidelines)|als\s+sprachmodell"
    r"|en\s+tant\s+que\s+modèle|como\s+modelo\s+de)\b",
)  # fmt: skip

# Texts that stand for "nothing".
NOTHING = (
    r"n\s*[/.\\-]\s*a\.?|n\.a\.|nil|null|none|nan|undefined|unknown|void|tbd|todo|error|failed|failure|yes|no|ok|okay|true|false|done|test",
    r"(?:no|not?\s+any|without)\s+(?:caption|description|alt[\s_-]*text|tags?|text|visible\s+text|image|photo|content|data|answer|response|title)(?:\s+(?:available|provided|given|found|needed|applicable|visible|present|generated|is\s+visible|in\s+(?:the|this)\s+(?:image|photo|picture)))?",
    r"there\s+is\s+no\s+(?:visible\s+|readable\s+)?(?:text|caption|description)\b.*",
    r"(?:not|none)\s+(?:available|applicable|provided|found|visible|specified|described|known|present)|unavailable|unidentified|unspecified",
    r"(?:<|\[|\{)?\s*(?:your\s+|insert\s+|the\s+)?(?:caption|alt[\s_-]*text|description|text|string|title|sentence)(?:\s+(?:here|goes\s+here|text))?\s*(?:>|\]|\})?",
    r"(?:an?|the|this)?\s*(?:image|photo|photograph|picture|visual|file)s?|lorem\s+ipsum.*|placeholder.*|example.*\bcaption\b.*",
    r"(?:one\s+complete\s+sentence|for\s+people\s+who\s+cannot\s+see|describe\s+th(?:is|e)\s+(?:photo|photograph|image|picture))\b.*",
    r"keine?|nichts|unbekannt|leer|(?:keine?\s+)(?:beschreibung|angabe|bildunterschrift|text)(?:\s+\w+)?|aucune?|inconnue?|rien|ninguna?|desconocid[oa]|nenhuma?|desconhecid[oa]|nessuna?|sconosciut[oa]|geen|onbekend|ingen|okänd|ukendt|brak|nieznany|无|未知|没有|なし|不明|없음",
)  # fmt: skip
