<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#faf8f5" data-scheme="light">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#141311" data-scheme="dark">
<script src="{{static}}/js/theme.js"></script>
<meta name="robots" content="noindex">
<title>{{without_overrides(title)}}</title>
<link rel="icon" href="{{static}}/icon.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="{{static}}/icons/touch-180.png">
<link rel="manifest" href="{{static}}/manifest.webmanifest">
<link rel="stylesheet" href="{{static}}/sheets/{{get('sheet') or 'every'}}.css">
% if get('module'):
%   gallery = module == 'gallery'
%   loaded = [*scripts[module], f'{module}.js'] if gallery else scripts[module]
%   if get('later'):
<meta name="modules" content="{{' '.join(loaded)}}">
%   else:
%     for name in loaded:
<link rel="modulepreload" href="{{static}}/js/{{name}}" fetchpriority="low">
%     end
%   end
<script type="module" src="{{static}}/js/{{'start' if gallery else module}}.js" fetchpriority="low"></script>
% end
</head>
% places = destinations()
<body data-limits="{{shared_text}}" data-viewer="{{caller.account.name if caller.account else ''}}">
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
  <div class="ends">
% if caller.open or caller.account:
    <a class="button primary" id="add" href="{{'/upload' if get('module') == 'gallery' else '/#add'}}"><span aria-hidden="true">+</span> <span>Add<span class="wide"> photos</span></span></a>
    <details class="account-menu">
      <summary class="me"><span class="sr">Menu, </span>{{caller.account.name if caller.account else 'Menu'}}</summary>
      <div class="panel">
%   if caller.open:
        <p class="hint">Open mode: this gallery can be reached from this computer only, and nobody signs in.</p>
%   else:
        <p class="hint">You are signed in as {{caller.account.name}}.</p>
        <a href="/account">Account</a>
%   end
%   if caller.account and caller.account.role == 'administrator':
        <a href="/accounts">Accounts</a>
        <a href="/security-log">Security log</a>
%   end
%   if caller.open or caller.account.role == 'administrator':
        <a href="/spending">Spending</a>
%   end
        <a href="/webhooks">Webhooks</a>
        <a href="/about">About</a>
%   if len(languages) > 1:
        <nav aria-label="Language of the captions">
          <p class="hint">Captions in</p>
%     for one in languages:
%       if one.code == language:
          <a href="/language/{{one.code}}?next={{quoted(here)}}" lang="{{one.code}}" hreflang="{{one.code}}" aria-current="true">{{one.own_name}}</a>
%       else:
          <a href="/language/{{one.code}}?next={{quoted(here)}}" lang="{{one.code}}" hreflang="{{one.code}}">{{one.own_name}}</a>
%       end
%     end
        </nav>
%   end
        <label class="js">Theme <select id="theme" autocomplete="off"><option value="system">System</option><option value="light">Light</option><option value="dark">Dark</option></select></label>
%   if get('module') == 'gallery':
        <button class="js" id="shortcuts" type="button">Keyboard shortcuts</button>
%   end
%   if caller.account:
        <form class="signed" method="post" action="/logout">
          <input type="hidden" name="token" value="{{token}}">
          <button type="submit">Sign out</button>
        </form>
%   end
      </div>
    </details>
% else:
    <a class="button" href="/login">Sign in</a>
% end
  </div>
</header>
% if places:
<nav class="rail" aria-label="Gallery">
%   for place in places:
  <a href="{{place.path}}" {{'aria-current=page' if place.current else ''}}><svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false"><path d="{{place.icon}}"/></svg><span>{{place.name}}</span></a>
%   end
</nav>
% end
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
</body>
</html>
