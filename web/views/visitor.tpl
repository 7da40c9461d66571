% rebase('visitor_layout.tpl', title=share.name, image=image)
<section class="page">
<h1 dir="auto">{{share.name}}</h1>
% if tiles:
%   include('tiles.tpl', tiles=tiles, folder=link_path, choosing=False)
% else:
<p>No photos are shown by this link at the moment.</p>
% end
% if share.download and tiles:
<p class="actions"><a class="button" href="{{link_path}}/all.zip" rel="nofollow">Download all photos (zip)</a></p>
% end
% include('list_pages.tpl', path=link_path, items='photos')
</section>
