<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow, noarchive">
<title>{{without_overrides(title)}}</title>
% if get('image'):
<meta property="og:type" content="website">
<meta property="og:title" content="{{without_overrides(title)}}">
%   if image['caption']:
<meta property="og:description" content="{{without_overrides(image['caption'])}}">
<meta name="description" content="{{without_overrides(image['caption'])}}">
%   end
%   if image['display_url']:
<meta property="og:image" content="{{image['display_url']}}">
<meta property="og:image:alt" content="{{image['alt']}}">
<meta name="twitter:card" content="summary_large_image">
%   end
% end
<link rel="icon" href="{{static}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{static}}/sheets/collections.css">
</head>
<body class="visitor">
<a class="skip" href="#main">Skip to the photos</a>
<main id="main" tabindex="-1">
{{!base}}
</main>
<footer class="foot"><p>Shared with Caption Gallery.</p></footer>
</body>
</html>
