% rebase('layout.tpl', title='Tags – Caption Gallery', sheet='collections')
<section class="page">
<h1>Tags</h1>
<form class="find" method="get" action="/tags">
  <label for="prefix">Tags that begin with</label>
  <input id="prefix" name="q" type="search" maxlength="{{shared.tag_length}}" value="{{prefix}}" autocomplete="off">
  <button class="button" type="submit">Find</button>
</form>
% if tags:
<ul class="tag-list" role="list">
%   for tag in tags:
  <li><a href="/?tag={{quoted(tag.tag)}}"><span dir="auto">{{tag.tag}}</span> <span class="hint">{{'at least ' if tag.more else ''}}{{f'{tag.count:,}'}}<span class="sr"> {{'photo' if tag.count == 1 else 'photos'}}</span></span></a></li>
%   end
</ul>
%   if following:
<p><a class="button" href="/tags?cursor={{quoted(following)}}&amp;q={{quoted(prefix)}}">More tags</a></p>
%   end
% elif prefix:
<p>No tag begins with “<bdi>{{prefix}}</bdi>”.</p>
<p><a class="button" href="/tags">Show all tags</a></p>
% else:
<p>There are no tags yet. Each photo gets some when it is described; people add others on the photo's page.</p>
<p><a class="button" href="/">Back to the photos</a></p>
% end
</section>
