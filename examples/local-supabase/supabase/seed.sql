insert into public.labels (name) values ('home'), ('work');
