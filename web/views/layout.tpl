<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#faf8f5">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#141311">
<meta name="robots" content="noindex">
<title>{{title}}</title>
% if get('refresh'):
<noscript><meta http-equiv="refresh" content="{{refresh}}"></noscript>
% end
<link rel="icon" href="{{static}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{static}}/css/base.css">
% for sheet in get('sheets') or ():
<link rel="stylesheet" href="{{static}}/css/{{sheet}}.css">
% end
% for name in get('preload') or ():
<link rel="modulepreload" href="{{static}}/js/{{name}}">
% end
% if get('module'):
<script type="module" src="{{static}}/js/{{module}}.js"></script>
% end
</head>
<body data-limits="{{shared_text}}">
<a class="skip" href="#main">Skip to the photos</a>
<header class="bar">
  <a class="brand" href="/">
    <svg viewBox="0 0 28 28" width="28" height="28" aria-hidden="true" focusable="false"><rect class="print" x="3.75" y="2.75" width="20.5" height="22.5" rx="2"/><path class="hill" d="M6.5 16.5v-1.2l4.6-4.8 3.7 3.9 2.3-2.2 4.4 4.3z"/><path class="line" d="M8 21.5h9"/></svg>
    <span>Caption Gallery</span>
  </a>
  <form class="search" role="search" action="/" method="get">
    <label class="sr" for="q">Search captions, tags, names and text in photos</label>
    <input id="q" name="q" type="search" maxlength="{{shared.search_length}}" value="{{get('words') or ''}}" placeholder="Search" autocomplete="off" enterkeyhint="search">
    <kbd aria-hidden="true">/</kbd>
  </form>
% if caller.open:
  <a class="button primary" id="add" href="/upload"><span aria-hidden="true">+</span> <span>Add<span class="wide"> photos</span></span></a>
% else:
  <div class="ends">
%   if caller.account:
    <a class="me" href="/account"><span class="sr">Your account, </span>{{caller.account.name}}</a>
    <a class="button primary" id="add" href="/upload"><span aria-hidden="true">+</span> <span>Add<span class="wide"> photos</span></span></a>
%   else:
    <a class="button" href="/login">Sign in</a>
%   end
  </div>
% end
</header>
% if get('notices'):
<aside class="notices" aria-label="Notices">
%   for notice in notices:
  <p class="notice" data-code="{{notice.code}}">{{notice.message}}</p>
%   end
</aside>
% end
<main id="main" tabindex="-1">
{{!base}}
</main>
<footer class="foot">
% if caller.open:
  <p>Open mode: this gallery can be reached from this computer only, and nobody signs in. <a href="/spending">Spending</a></p>
% elif caller.account:
  <form class="signed" method="post" action="/logout">
    <input type="hidden" name="token" value="{{token}}">
    <p>You are signed in as {{caller.account.name}}. <a href="/account">Account</a>\\
%   if caller.account.role == 'administrator':
 · <a href="/accounts">Accounts</a> · <a href="/security-log">Security log</a> · <a href="/spending">Spending</a>\\
%   end
</p>
    <button class="button small quiet" type="submit">Sign out</button>
  </form>
% else:
  <p><a href="/login">Sign in</a> to upload photos.</p>
% end
% if len(languages) > 1:
  <nav aria-label="Language of the captions">
    <p>Captions in\\
%   for one in languages:
 <a href="/language/{{one.code}}?next={{quoted(here())}}" lang="{{one.code}}" hreflang="{{one.code}}"{{!' aria-current="true"' if one.code == language else ''}}>{{one.own_name}}</a>\\
%   end
</p>
  </nav>
% end
  <p>Photos are described by {{describer}}. Release {{release}}. <a href="/api/v1/openapi.yaml">API</a></p>
</footer>
</body>
</html>
