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

# After "Sure": a hyphen, comma or full stop only before a blank, as in none of "sure-footed" and "OK.gov".
_PAUSE = r"\s*[,!.:–—-]*(?:[!–—]|[,.:-](?=\s|$))\s*"
_LABELLED = r"\b(?:" + "|".join((*LABELS, "json|tags?|antwort|réponse|respuesta|resposta|risposta")) + r")"
# "is the requested caption:" after "Here" in other languages than English; not "Here is the door: …"
_FOLLOWS = r"\b[^:\n]{0,60}?" + _LABELLED + r"\b[^:.!?\n]{0,40}:\s*"

# A sentence that only says that a description follows.
CHATTER = (
    # English
    r"(?:sure(?:\s+thing)?|certainly|of\s+course|absolutely|okay|ok|great|no\s+problem|gladly)\b" + _PAUSE,
    r"(?:here(?:['’]s|\s+(?:is|are|you\s+go))|below\s+is|this\s+is|the\s+following\s+is)\b"
    r"(?:(?!\.\s)[^:\n]){0,80}?"
    r"\b(?:caption|description|alt[\s_-]*text|json|answer|response|result|tags|summary)\b[^:.!?\n]{0,60}:\s*",
    r"here\s+(?:you\s+go|it\s+is)\s*[:.!]\s*",
    # German
    r"(?:klar|gerne?|natürlich|selbstverständlich|sicher)\b" + _PAUSE,
    r"hier\s+(?:ist|sind|kommt)" + _FOLLOWS,
    # French
    r"(?:bien\s+sûr|certainement|d['’]accord|avec\s+plaisir)\b" + _PAUSE,
    r"voici" + _FOLLOWS,
    # Spanish, Portuguese, Italian
    rf"[¡]?(?:claro(?:\s+que\s+sí)?|por\s+supuesto|con\s+gusto|com\s+certeza|claro\s+que\s+sim|certo|certamente)\b{_PAUSE}",
    r"(?:aquí\s+(?:está|tienes?)|aqui\s+está|ecco)" + _FOLLOWS,
    # Dutch, Swedish, Danish, Norwegian, Polish
    r"(?:natuurlijk|zeker|självklart|naturligtvis|selvfølgelig|oczywiście|jasne)\b" + _PAUSE,
    r"(?:hier\s+is|här\s+är|her\s+er|oto)" + _FOLLOWS,
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


def _no_sentence(verbs: str, conjunctions: str) -> str:
    """Return what refuses a sentence about a picture: "… of a horse hangs on a wall".

    verbs: what pictures do, in the third person. conjunctions: what begins a clause about something else, as in
    "… of a horse that stands in a field".
    """
    before = rf"(?:(?!\b(?:{conjunctions})\b)[^.,;:!?\"“”„«])*?"
    return rf"(?!{before}\b(?:{verbs})\b)"


ENGLISH_VERBS = "is|was|has|hangs|leans|lies|rests|sits|stands|adorns|decorates|dominates|looms|appears"
_ENGLISH = _no_sentence(
    ENGLISH_VERBS,
    "that|which|who|whose|whom|where|what|as|while|when|because",
)
_GERMAN = _no_sentence(
    "ist|war|wird|wurde|hat|hängt|lehnt|liegt|steht|klebt|ziert|schmückt|bedeckt|zeigt|erscheint",
    "als|wie|während|wo",
)
_FRENCH = _no_sentence(
    r"est|était|pend|trône|orne|décore|recouvre|repose|occupe|se\s+trouve|a\s+été",
    "qui|que|où|dont|quand|lorsque|comme",
)
_SPANISH = _no_sentence(
    r"está|es|fue|cuelga|adorna|decora|cubre|descansa|preside|ocupa|aparece|se\s+encuentra",
    "que|quien|quienes|donde|cuando|como|mientras",
)
_PORTUGUESE = _no_sentence(
    "está|é|foi|pende|adorna|decora|cobre|ocupa|repousa|aparece|fica", "que|quem|onde|quando|como|enquanto"
)
_ITALIAN = _no_sentence(
    r"è|era|pende|adorna|decora|copre|occupa|sta|campeggia|poggia|appare|si\s+trova",
    "che|cui|dove|quando|come|mentre",
)
_DUTCH = _no_sentence("is|was|hangt|staat|ligt|leunt|siert|wordt", "die|dat|waar|wie|als|terwijl")
_NORDIC = _no_sentence(
    "är|er|var|hänger|hænger|henger|står|ligger|lutar|pryder", "som|där|der|hvor|när|når|medan|mens"
)

# What a screen reader says anyway, and what a caption need not: "Image of", "The photo shows".
IMAGE_OF = (
    # English
    r"(?:(?:here|this|it)\s+(?:is|shows)\s+)?(?:in\s+)?(?:(?:an?|the|this|that)\s+)?"
    r"(?:image|photo|photograph|picture|pic|snapshot)"
    rf"(?:\s+of\b{_ENGLISH}[\s:,]*|\s+(?:showing|shows|show|depicting|depicts|featuring|features|captures|contains|displays|is\s+of)\b[\s:,]*"
    r"|\s*:\s+)",
    r"in\s+(?:the|this)\s+(?:image|photo|photograph|picture)\s*,\s*(?:we\s+(?:can\s+)?see\s+|there\s+(?:is|are)\s+)?",
    r"(?:the|this)\s+(?:image|photo|photograph|picture)\s+(?:appears|seems)\s+to\s+(?:show|depict|be\s+of)\s+",
    # German
    rf"(?:(?:ein|das|dieses|auf\s+dem)\s+)?(?:bild|foto|fotografie|aufnahme)\s+(?:von\s+{_GERMAN}|zeigt\s+|:\s*)",
    # French
    r"(?:(?:une?|la|cette|l['’]|cette\s+)\s*)?(?:image|photo|photographie)\s+"
    rf"(?:(?:de\s+(?=un|une|deux|trois|plusieurs|[lL][ae]s?\s)|d['’](?=une?\s)){_FRENCH}|montrant\s+|montre\s+|représentant\s+|représente\s+)",
    # Spanish, Portuguese, Italian
    rf"(?:(?:una?|la|esta)\s+)?(?:imagen|foto|fotografía)\s+(?:de\s+(?!la\b|los\b|las\b){_SPANISH}|que\s+muestra\s+|muestra\s+|mostrando\s+)",
    rf"(?:(?:uma?|a|esta)\s+)?(?:imagem|foto|fotografia)\s+(?:de\s+{_PORTUGUESE}|que\s+mostra\s+|mostra\s+|mostrando\s+)",
    rf"(?:(?:un['’]?|una|la|l['’]|questa\s+)\s*)?(?:immagine|foto|fotografia)\s+(?:di\s+{_ITALIAN}|che\s+mostra\s+|mostra\s+)",
    # Dutch, Swedish, Danish, Norwegian
    rf"(?:(?:een|de|deze)\s+)?(?:afbeelding|foto)\s+(?:van\s+{_DUTCH}|toont\s+|met\s+daarop\s+)",
    rf"(?:(?:en|ett|et)\s+)?(?:bild|foto|billede|bilde)\s+(?:på|av|af)\s+{_NORDIC}|(?:bilden|billedet|bildet)\s+(?:visar|viser)\s+",
    # Polish, Croatian
    r"(?:zdjęcie|obraz|fotografia)\s+(?:przedstawia(?:jące)?|pokazuje)\s+|(?:slika|fotografija)\s+prikazuje\s+",
    # Chinese, Japanese
    r"(?:这张|这幅|该)?(?:图片|照片|图像)(?:中)?(?:显示了?|展示了?)[,，]?|(?:この)?(?:画像|写真)(?:は|には)、?",
)  # fmt: skip

_AI = (
    r"(?:ai|a\.i\.|artificial\s+intelligence|(?:large\s+)?language\s+model|llm|multimodal\s+model"
    r"|virtual\s+assistant|text-based\s+(?:ai|assistant|model))(?:\s+(?:language|model|assistant|system|chatbot))*"
)
# Not "As an AI-themed mural fills the wall": the model speaks of itself.
_AS_AN_AI_I = rf"as\s+an?\s+{_AI}(?![\w-])\s*,?\s*(?:i|my)\b|as\s+an?\s+{_AI}\b[^.]{{0,80}}?,\s*(?:i|my)\b"

# The beginning of a text that declines, or that says there is nothing to describe.
REFUSALS = (
    # English
    r"(?:i['’]?\s*a?m\s+|we(?:['’]re|\s+are)\s+)?(?:(?:so|very|really|terribly)\s+)?sorry\b\W*(?:$|but\b|i\b|that\b|this\b|the\s+image|there\b|no\b)",
    r"(?:my\s+)?apologies\b|i\s+(?:must\s+)?apologi[sz]e\b",
    r"(?:unfortunately|regrettably|however|sorry)?\W*(?:i|we)(?:['’]m|\s+am|['’]re|\s+are)?\s*"
    r"(?:can(?:not|['’]?t)|can\s+not|could(?:\s+not|n['’]?t)|won['’]?t|will\s+not|don['’]?t|do\s+not|did(?:\s+not|n['’]?t)|am\s+not|not\s+able|unable"
    r"|must\s+decline|have\s+to\s+decline|decline|need\s+(?:the|an|you)|was\s+unable|was\s+not\s+able|cannot)\b",
    rf"{_AS_AN_AI_I}|as\s+an?\s+{_AI}\s*[,.;:]",
    rf"i(?:['’]m|\s+am)\s+(?:just\s+|only\s+)?an?\s+(?:{_AI}(?![\w-])|assistant\b)",
    r"(?:this|that|doing\s+so|describing\s+(?:it|this|the\s+\w+))\s+(?:(?:may|might|would|could)\s+)?"
    r"(?:violates?|go(?:es)?\s+against)\b",
    r"(?:please|kindly|could\s+you|can\s+you|would\s+you)\s+(?:please\s+)?(?:re-?)?(?:provide|upload|share|attach|send|include|give|supply|paste|submit|try)\b",
    r"(?:unable|not\s+able|impossible|failed|not\s+possible)\s+to\s+(?:describe|process|view|analy[sz]e|help|assist|provide|comply|generate|access|fulfil+|display|load|open|caption|create)\b",
    r"(?:cannot|can['’]?t|could\s+not|won['’]?t)\s+(?:be\s+)?(?:describe|process|view|analy[sz]e|help|assist|provide|comply|generate|access|display|load|caption|fulfil)",
    r"(?:no|there\s+(?:is|was)\s+no|there(?:['’]s|\s+isn['’]?t\s+an?)|without\s+an?)\s+(?:image|photo|picture|photograph|file|attachment|input)s?\s*(?:$|[.!]|(?:to\s+describe|(?:has|have|was|were|is)\s+(?:been\s+)?|here\b|attached|provided|uploaded|given|available|found|included|supplied|visible|shown|in\s+(?:your|the|this)\s+(?:message|request|prompt)))",
    r"(?:it\s+(?:seems|appears|looks\s+like)|it['’]s\s+possible)\s+(?:that\s+|like\s+)?(?:there\s+(?:is|was)\s+no\s+(?:image|photo|picture|file)|no\s+(?:image|photo|picture|file)|you\s+(?:have\s+not|haven['’]?t|forgot|did)|the\s+(?:image|photo|picture)\s+(?:did|was\s+not|wasn['’]?t|is\s+missing|failed|has\s+not|could))",
    r"(?:the|this|your)\s+(?:image|photo|picture|photograph|content|request|file)\s+(?:(?:could\s+not|couldn['’]?t|cannot|can['’]?t)\s+be\s+(?:processed|loaded|displayed|described|found|accessed|opened|analy[sz]ed|viewed|shown|shared)|failed\s+to|(?:was\s+not|wasn['’]?t|is\s+not|isn['’]?t)\s+(?:available|accessible|attached|provided|uploaded|included|loaded|found|received)|(?:did\s+not|didn['’]?t)\s+(?:load|upload|come|arrive)|(?:may\s+|might\s+)?violates?|goes\s+against|is\s+missing|(?:has\s+been|was)\s+(?:blocked|removed|flagged|rejected|denied))\b",
    r"(?:content|request|response|description)\s+(?:(?:was|is|has\s+been)\s+)?(?:blocked|filtered|withheld|removed|denied|rejected|redacted)\b|\[(?:redacted|blocked|filtered|removed|content)\b",
    # German
    r"(?:es\s+)?tut\s+mir\s+(?:wirklich\s+)?leid|entschuldigung\b|leider\s+(?:kann|ist|wurde|darf|sehe)\b|ich\s+(?:kann|darf|bin\s+(?:nicht|ein)|sehe\s+kein|habe\s+kein)\b|als\s+(?:eine?\s+)?(?:ki(?![\w-])|ki-(?:modell|assistent|system)\w*|künstliche\s+intelligenz|sprachmodell)\b|(?:das|dieses)\s+(?:bild|foto)\s+(?:kann\s+ich\s+(?:leider\s+)?nicht|(?:kann|konnte)\s+(?:leider\s+)?nicht\s+\w+\s+werden)|bitte\s+(?:lade|stelle?n?|senden?|geben?|teilen?|fügen?|laden)\b|(?:es\s+wurde\s+)?kein\s+(?:bild|foto)\s+(?:vorhanden|angehängt|hochgeladen|übermittelt|bereitgestellt|gefunden)",
    # French
    r"(?:je\s+suis\s+)?(?:désolée?|navrée?)\b|je\s+(?:ne\s+(?:peux|suis|vois|parviens)|m['’]excuse|regrette)\b|en\s+tant\s+qu['’](?:une?\s+)?(?:ia(?![\w-])|intelligence\s+artificielle|assistant)|en\s+tant\s+que\s+(?:modèle\s+(?:de\s+langage|linguistique)|assistant)|(?:cette|l['’])\s*(?:image|photo)\s+ne\s+peut\s+(?:pas\s+)?être|(?:veuillez|merci\s+de|pouvez-vous)\s+(?:me\s+)?(?:fournir|télécharger|partager|envoyer|joindre)\b|impossible\s+de\s+(?:décrire|traiter|voir|analyser)\b|aucune\s+(?:image|photo)\s+(?:n['’]|fournie|jointe)",
    # Spanish, Portuguese, Italian
    r"lo\s+(?:siento|lamento)\b|no\s+(?:puedo|es\s+posible\s+describir|veo\s+ninguna|se\s+(?:ha|puede))\b|como\s+(?:ia|una?\s+ia|modelo\s+de\s+lenguaje|inteligencia|asistente)\b|por\s+favor,?\s+(?:proporcion|sub|env|compart|adjunt|forne)\w+|desculpe?\b|sinto\s+muito\b|lamento\b|(?:eu\s+)?não\s+(?:posso|consigo|é\s+possível\s+descrever|vejo\s+nenhuma)\b|como\s+(?:uma?\s+)?(?:modelo\s+de\s+linguagem|inteligência)|mi\s+(?:dispiace|scuso|spiace)\b|non\s+(?:posso|riesco|sono\s+in\s+grado|è\s+possibile\s+descrivere|vedo\s+(?:alcuna|nessuna))\b|in\s+quanto\s+(?:ia|intelligenza|modello)|come\s+(?:ia|modello\s+linguistico|intelligenza)\b|(?:per\s+favore|si\s+prega\s+di),?\s+(?:fornisc|caric|invi|condivid)\w+",
    # Dutch, Swedish, Danish, Norwegian, Polish, Croatian
    r"(?:het\s+)?spijt\s+me\b|sorry,?\s+(?:maar\s+)?ik\b|helaas\s+kan\b|ik\s+(?:kan|ben\s+niet|zie\s+geen)\b|als\s+(?:een\s+)?(?:ai|taalmodel)\b|(?:jag|jeg)\s+(?:kan\s+(?:inte|ikke)|beklagar|beklager)\b|(?:tyvärr|desværre|dessverre|beklager)\b|som\s+(?:en\s+)?(?:ai|språkmodell|sprogmodel)\b|(?:przepraszam|przykro\s+mi|niestety)\b|nie\s+(?:mogę|jestem\s+w\s+stanie|widzę)\b|jako\s+(?:model\s+językowy|ai(?![\w-])|sztuczna\s+inteligencja)|žao\s+mi\s+je\b|nažalost\b|ne\s+mogu\b",
    # Chinese, Japanese, Korean
    r"(?:很|非常)?抱歉|对不起|對不起|我(?:无法|無法|不能)|作[为為](?:一[个個])?(?:AI|人工智[能慧]|[语語]言模型)|[请請](?:提供|上[传傳])",
    r"[无無]法(?:描述|识别|識別|查看|处理|處理|分析|[显顯]示|[访訪][问問]|提供)(?:[这這该該此]|[图圖]|照片)|(?:[图圖]片|照片)[无無未]法?(?:能)?(?:[显顯]示|加[载載]|上[传傳]|[处處]理|[识識][别別])",
    r"申し訳|すみません|ごめんなさい|恐れ入りますが|残念ながら|(?:画像|写真)を(?:提供|アップロード|添付)|(?:AI|人工知能|(?:大規模)?言語モデル)として",
    # the image, or nothing, before the verb: not "霧で山頂を確認できません", fog hides the summit
    r"(?:私(?:に)?は、?)?(?:(?:この|その|ご提供の|添付の|添付された)?(?:画像|写真|ファイル|リクエスト|ご要望)(?:の(?:内容|説明))?(?:を|に|は|が|には)?、?)?"
    r"(?:説明|記述|描写|分析|解析|処理|確認|認識|表示|閲覧|生成|提供|お答え|お手伝い|対応|支援)(?:を?する)?(?:こと)?[はがを]?(?:でき(?:ません|ない|かね)|いたしかね|不可能)",
    r"(?:この)?(?:画像|写真)(?:が|は)(?:見つかりません|ありません|提供されていません|添付されていません|表示されません|読み込めません|見えません)",
    r"죄송|유감|미안|이미지를?\s*(?:제공해|업로드해|첨부해)|(?:AI|인공지능|(?:대규모\s*)?언어\s*모델)(?:로서|로써|이기)",
    r"(?:이\s+)?(?:이미지|사진|요청)(?:을|를|에|은|는)?\s*(?:설명|분석|처리|확인|인식|표시|제공)(?:할|해\s*드릴)\s*수\s*없|(?:이미지|사진)를?을?\s*찾을\s*수\s*없|(?:이미지|사진)(?:이|가)\s*(?:없습니다|제공되지|첨부되지)",
    # Catalan, Romanian, Czech, Slovak, Slovenian
    r"ho\s+sento\b|em\s+sap\s+greu|no\s+(?:puc|veig\s+cap)\b|com\s+a\s+(?:model\s+de\s+llenguatge|ia(?![\w-]))|îmi\s+pare\s+rău|din\s+păcate|nu\s+(?:pot|văd\s+nicio)\b|ca\s+(?:model\s+(?:lingvistic|de\s+limbaj)|inteligență\s+artificială)",
    r"(?:omlouvám|ospravedlňujem)\s+s[ea]\b|je\s+mi\s+(?:líto|ľúto)|bohuž(?:el|iaľ)|prepáčte|promiňte|(?:nemohu|nemůžu|nemôžem|nedokážu|nedokážem)\b|(?:jako|ako)\s+jazykový\s+model|oprostite|žal\s+(?:mi|ne)\b|ne\s+morem\b|kot\s+jezikovni\s+model",
    # Russian, Ukrainian, Bulgarian, Serbian
    r"к\s+сожалению|извините|простите|мне\s+(?:очень\s+)?жаль|(?:я\s+)?не\s+(?:могу|вижу\s+изображения|в\s+состоянии)\b|как\s+(?:языковая\s+модель|ии\b|искусственный\s+интеллект)|пожалуйста,?\s+(?:загрузите|предоставьте|прикрепите|пришлите)",
    r"на\s+жаль|вибачте|перепрошую|(?:я\s+)?не\s+можу\b|як\s+мовна\s+модель|съжалявам|за\s+съжаление|не\s+мога\b|като\s+езиков\s+модел|жао\s+ми\s+је|нажалост|као\s+језички\s+модел",
    # Greek, Turkish, Hungarian
    r"λυπάμαι|συγγνώμη|δυστυχώς|δεν\s+μπορώ\b|ως\s+(?:γλωσσικό\s+μοντέλο|τεχνητή\s+νοημοσύνη)|παρακαλώ\s+(?:ανεβάστε|παρέχετε|δώστε|επισυνάψτε)",
    r"üzgünüm|maalesef|özür\s+dilerim|(?:bu\s+)?(?:görüntüyü|resmi|fotoğrafı|görseli)\s+\w+(?:\s+\w+)?[ae]m[ıi]yorum|(?:bir\s+)?(?:yapay\s+zeka|dil\s+modeli)\s+(?:modeli\s+|asistanı\s+)?olarak",
    r"sajnálom|sajnos\b|elnézést|bocsánat|nem\s+(?:tudom|tudok|vagyok\s+képes)\b|nyelvi\s+modellként|mesterséges\s+intelligenciaként",
    # Finnish, Estonian, Latvian, Lithuanian, Basque, Irish, Icelandic
    r"olen\s+pahoillani|pahoittelen|valitettavasti|anteeksi\b|(?:minä\s+)?en\s+(?:voi|pysty|näe)\b|(?:tekoälynä|kielimallina)\b|vabandust|kahjuks\b|ma\s+ei\s+(?:saa|suuda|näe)\b|atvainojiet|diemžēl|(?:es\s+)?nevaru\b|atsiprašau|deja,|(?:aš\s+)?negaliu\b",
    r"barkatu\b|sentitzen\s+dut|tamalez|ezin\s+dut\b|tá\s+brón\s+orm|gabh\s+mo\s+leithscéal|ní\s+féidir\s+liom|því\s+miður|fyrirgefðu|ég\s+get\s+ekki\b",
    # Indonesian, Vietnamese, Thai, Hindi
    r"(?:mohon\s+)?maaf\b|sayangnya|saya\s+(?:tidak\s+(?:dapat|bisa|mampu)|minta\s+maaf)\b|sebagai\s+(?:model\s+bahasa|ai(?![\w-]))|(?:tôi\s+)?(?:rất\s+)?(?:xin\s+lỗi|tiếc)\b|tôi\s+không\s+thể|không\s+thể\s+(?:mô\s+tả|xử\s+lý|xem|phân\s+tích)|là\s+một\s+mô\s+hình\s+ngôn\s+ngữ|vui\s+lòng\s+(?:cung\s+cấp|tải|gửi)",
    r"ขออภัย|ขอโทษ|(?:ฉัน|ผม|ดิฉัน)ไม่สามารถ|ไม่สามารถ(?:อธิบาย|บรรยาย|ประมวลผล|วิเคราะห์|ช่วย)|ในฐานะโมเดล|(?:मुझे\s+)?(?:खेद|क्षमा|माफ़?)\s*(?:है|कर)|मैं\s.{0,40}?नहीं\s+(?:कर\s+)?सकत|एक\s+(?:एआई|AI|भाषा\s+मॉडल).{0,20}?के\s+रूप\s+में",
    # Arabic, Persian, Hebrew
    r"(?:أنا\s+)?(?:آسف|أعتذر|عذر[اً])|للأسف|(?:أنا\s+)?لا\s+(?:أستطيع|يمكنني|أتمكن)|بصفتي|متأسفم|متاسفم|متأسفانه|متاسفانه|ببخشید|(?:من\s+)?نمی[\s\u200c]?توانم|به\s?عنوان\s+(?:یک\s+)?(?:مدل\s+زبانی|هوش\s+مصنوعی)",
    r"(?:אני\s+)?מצטער|סליחה|לצערי|(?:אני\s+לא|אינני|איני)\s+יכול|כמודל\s+שפה",
)  # fmt: skip

# Anywhere in a text, but not in a quotation: a model that speaks of itself.
SELF = (
    rf"\b(?:{_AS_AN_AI_I}|my\s+(?:\w+\s+)?(?:guidelines|programming|training|polic(?:y|ies))"
    r"|(?:violat\w+|against|compl\w+\s+with)\b[^.]{0,30}\b(?:content|usage|community|openai|google)\s+(?:polic(?:y|ies)|guidelines)"
    r"|als\s+(?:ki-)?sprachmodell|en\s+tant\s+que\s+modèle\s+(?:de\s+langage|linguistique)"
    r"|como\s+modelo\s+de\s+(?:lenguaje|linguagem))\b",
)  # fmt: skip

# Passages in quotation marks; a single mark inside a word is an apostrophe.
QUOTED = (r'"[^"]*"', "“[^”]*”", "„[^“”]*[“”]", "«[^»]*»", "「[^」]*」", r"(?<!\w)['‘].*?['’](?!\w)")

# "Error 500:", before a text that stands for nothing or declines.
ERROR = (
    r"\W*(?:error|warning|exception|fehler|fout|fel|feil|fejl|erreur|errore?|erro|błąd|chyba|ошибка|错误|錯誤|エラー|오류)"
    r"(?:\s+(?:code\s+)?\d+)?\s*[:：–—-]+\s*",
)

# After the name of a field, which makes it a text that stands for nothing: "Description unavailable."
ABSENT = (
    r"(?:(?:is|are|was|were|has|have)\s+)?(?:(?:currently|been|yet)\s+)*(?:not\s+(?:yet\s+)?(?:available|found|provided|given|supplied|generated|specified|supported|loaded|applicable|possible|accessible)|unavailable|missing|n/?a|none|null|unknown|pending|failed)(?:\s+(?:yet|at\s+this\s+time|for\s+this\s+\w+))?",
    r"(?:could|can)(?:not|\s+not|n['’]t|['’]t)\s+be\s+(?:generated|provided|found|loaded|displayed|created|produced|retrieved|processed|determined|described)",
    r"(?:(?:ist|sind|wurde|kann|konnte)\s+)?(?:(?:leider|derzeit)\s+)*nicht\s+(?:verfügbar|vorhanden|gefunden|möglich|angegeben|(?:geladen|erstellt|gefunden|verarbeitet|beschrieben|angezeigt)\s+werden)|fehlt|unbekannt",
    r"(?:n['’]est\s+)?(?:non|pas)\s+(?:disponible|trouvée?|fournie?)|(?:est\s+)?(?:indisponible|introuvable|manquante?|inconnue?)",
    r"(?:no|não|non)\s+(?:está\s+|è\s+)?(?:disponible|disponível|disponibile|encontrad[oa]|trovat[oa]|proporcionad[oa]|fornecid[oa]|fornit[oa])|indisponível|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|mancante",
    r"(?:is\s+)?niet\s+(?:beschikbaar|gevonden)|ontbreekt|onbekend|(?:är\s+|er\s+)?(?:inte|ej|ikke)\s+(?:tillgänglig|tilgængelig|tilgjengelig|hitta|funnet|fundet)\w*|saknas|mangler",
    r"(?:jest\s+)?niedostępn\w+|nie\s+(?:jest\s+)?dostępn\w+|(?:není|nie\s+je)\s+k\s+dispozic\w+|nije\s+dostup\w+|nedostup\w+",
    r"不可用|不存在|缺失|未找到|[无無]法\w*|(?:は|が)?(?:ありません|利用できません|見つかりません|取得できません)(?:でした)?|(?:이|가|을|를)?\s*(?:없음|없습니다|찾을\s*수\s*없\w*)",
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
