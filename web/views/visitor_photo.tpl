% rebase('visitor_layout.tpl', title=(share.title or image['caption'] or share.name), image=image)
<article class="page">
% if alone:
<h1 class="{{'' if share.title else 'sr'}}" dir="auto">{{share.title or 'Shared photo'}}</h1>
% else:
<p class="back"><a href="{{link_path}}">← <bdi>{{share.name}}</bdi></a> <span class="hint">{{place}}</span></p>
<h1 class="sr">Photo {{place}}</h1>
% end
% include('photo_words.tpl', image=image)
% include('photo_steps.tpl', previous=previous, following=following, folder=link_path)
% if share.download and image['display_url']:
<p class="actions"><a class="button" href="{{link_path}}/{{image['id']}}/download" rel="nofollow">Download this photo</a></p>
% end
</article>
