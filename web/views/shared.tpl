% rebase('layout.tpl', title='Shared links – Caption Gallery', sheet='collections')
<section class="page">
<h1>Shared links</h1>
% if get('done'):
<p class="done" role="status">{{done}}</p>
% end
% if get('made'):
<div class="done" role="status">
  <h2>The link to <bdi>{{made['title']}}</bdi> is ready</h2>
%   if made['summary']:
  <p>It leaves photos out: {{made['summary']}}</p>
%   end
  <p><label for="url">Copy it now: it is not shown again.</label></p>
  <input id="url" readonly value="{{url}}">
  <p>It ends on {{made['ends']}} UTC.{{' Send the password by another way than the link.' if made['password'] else ' Everybody who has it sees the photos.'}}</p>
</div>
% end
% if shares:
<ul class="plain" role="list">
%   for share in shares:
  <li>
    <span><strong dir="auto">{{share['title']}}</strong>{{' by ' + share['owner'] if share['owner'] else ''}}<br>
    <span class="hint">{{share['status_text']}} · {{share['photos']}}{{' · ' + share['options'] if share['options'] else ''}} · created <time datetime="{{share['created_at']}}">{{share['created']}}</time> · {{'ends' if share['open'] else 'ended at the latest'}} <time datetime="{{share['expires_at']}}">{{share['ends']}}</time> UTC · {{share['opened_text']}}\\
%     if share['last']:
, last <time datetime="{{share['last_opened_at']}}">{{share['last']}}</time> UTC\\
%     end
</span></span>
%     if share['open']:
    <form method="post" action="/shared/{{share['id']}}/revoke{{same_page}}">
      <input type="hidden" name="token" value="{{token}}">
      <button class="button small" type="submit">Revoke<span class="sr"> the link to <bdi>{{share['title']}}</bdi></span></button>
    </form>
%     end
  </li>
%   end
</ul>
% elif first:
<p>Nothing is shared by a link. Share an album from its page, or a photo from the page of the photo.</p>
% end
% if following is not None or not first:
<p class="hint">The pages show open links first, then those that have ended.</p>
% end
% include('list_pages.tpl', path='/shared', items='links')
</section>
