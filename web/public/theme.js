// Sets the theme before anything is painted: the one that was chosen, else the system's.
{
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = dark;
  document.documentElement.dataset.theme = localStorage.getItem("byteor-theme") ?? dark;
}
