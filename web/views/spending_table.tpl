<table class="sums">
<caption class="sr">{{caption}}</caption>
<thead><tr><th scope="col">{{head}}</th><th scope="col">Answers</th><th scope="col">Photos</th><th scope="col">Tokens in</th><th scope="col">Tokens out</th><th scope="col">Price</th></tr></thead>
<tbody>
% for row in rows:
<tr><th scope="row">{{row['name']}}</th><td>{{row['calls']}}</td><td>{{row['images']}}</td><td>{{row['input_tokens']}}</td><td>{{row['output_tokens']}}</td><td>{{row['price']}}</td></tr>
% end
</tbody>
</table>
