<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{problem['title']}} – Caption Gallery</title>
<link rel="icon" href="{{static}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{static}}/sheets/every.css">
<script src="{{static}}/js/theme.js"></script>
% if again:
<script type="module" src="{{static}}/js/problem.js"></script>
% end
</head>
<body>
<main class="problem" id="main">
<p class="number" aria-hidden="true">{{problem['status']}}</p>
<h1>{{problem['detail']}}</h1>
% if again:
<p id="again" data-seconds="{{problem['retry_after']}}"><a class="button primary" href="">Try again</a></p>
% end
<p><a class="button primary" href="/">To the gallery</a></p>
% if problem['status'] >= 500:
<p class="fine">Details are in the log under {{problem['request_id']}}.</p>
% end
</main>
</body>
</html>
