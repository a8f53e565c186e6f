/** What `xz -9e` makes of some contents, in base64: tests need no xz on the machine, and nothing else here packs it. */
export const NOTHING_XZ = '/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo=';
export const HELLO_XZ = '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAEaGVsbG8AAAAAsTe52+XaHpsAAR0FuC2Arx+2830BAAAAAARZWg==';
/** 5 MiB and 77 bytes of `some bytes that repeat `, with the 1 MiB chunks of a layer on its way in mind. */
export const BIG_XZ =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM//8nAYNdADmbyfLnUE+kCYL0GGFzr16XMZMq5cJa4UahE+5Pn9OIPXjS4EnqdARDwbMq2IFe1NRY' +
  '6n3fKaP99YRTYOcFmCXso4R48gSn2dPY494ERRxyNHk6PjfJQz+zbw2yqN3OZsAuL+pFf5aEkEyQdc09lVM9+ClkCTuAyyps37U78MS9Ll+q' +
  'Dz5LZkKQEw7/EJP4cXhZ+AvN/5UoRg+p/Hze+5owLlbAj4Xzg4HAZcQlU/j1kTYxBaWw7m/BcE1HDNGREaqtYB26zrEnGFxZhulmUli+6Xas' +
  'WeTlWwUI+cfarfz7Uit0zR5bIEL53VM9+ClkCTuAyyps37U78MS9Ll+qDz5LZkKQEw7/EJP4cXhZ+AvN/5UoRg+p/Hze+5owLlbAj4Xzg4HA' +
  'ZcQlU/j1kTYxBaWw7m/BcE1HDNGREaqtYB26zrEnGFxZhulmUli+6XasWeTlWwUI+cfarfz7Uit0zR5bIEL53VM9+ClkCTuAyyps37U78MS9' +
  'Ll+qDz5LZkKQDm2XuZ//EAErAOxzU6f9vq58MRqft40xbnCepyNf7CjLhdGVmIp+KpHyJ3X3GcAGmE2Y/div1ZAPxCVT+PWRNjEFpbDub8Fw' +
  'TUcM0ZERqq1gHbrOsScYXFmG6WZSWL7pdqxZ5OVbBQj5x9qt/PtSK3TNHlsgQvndUz34KWQJO4DLKmzftTvwxL0uX6oPPktmQpATDv8Qk/hx' +
  'eFn4C83/lShGD6n8fN77mjAuVsCPhfODgcBlxCVT+PWRNjEFpbDub8FwTUcM0ZERqq1gHbrOsScYXFmG6WZSWL7pdqxZ5OVbBQj5x9qt/PtS' +
  'K3TNHlsgQvndUz34KWQJO4DLKmzftTvwxL0uX6oPPktmQpATDv8Qk/hxeFn4C83/lShGD6n8fN77mjAuVsCPhfODgcBlxCVRDz+ykAITAJkA' +
  '7HNTp/2+rnwxGp+3jTFucJ6nI1/sKMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbp' +
  'ZlJYvul2rFnk5VsFCPnH2q38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvS5fqg8+S2ZCkBMO/xCT+HF4WfgLzPQlTgAAAADIrQ/M1vHb' +
  'tgAB7wbNgMACExPh67HEZ/sCAAAAAARZWg==';
/** `hello`, with a check that the decoder does not know (`--check=sha256`). */
export const HELLO_SHA256_XZ =
  '/Td6WFoAAArh+wyhAgAhARwAAAAQz1jMAQAEaGVsbG8AAAAALPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQAATUFEoPd8hibS5oBAAAAAApZWg==';
/** `hello`, which asks for a dictionary of 128 MiB. */
export const HELLO_WIDE_XZ = '/Td6WFoAAATm1rRGAgAhAR4AAACbB1FmAQAEaGVsbG8AAAAAsTe52+XaHpsAAR0FuC2Arx+2830BAAAAAARZWg==';
/** A tar of one file `f` with 1000 bytes. */
export const TAR_XZ =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4An/AEtdADMAM1AYaA0aYqVwftj5E6AXl0EoyMCOPULR7q01Tz4OjLevkWSmnCJDj6p0NJfYk109' +
  'yowJP4LBztiWOmbWRGthnqvpkLudBicWAAAA1I9sPd4azQMAAWeAFAAAAGWbObixxGf7AgAAAAAEWVo=';
/** An archive of `docker save` with one image `a:1` of one layer. */
export const ARCHIVE_XZ =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Bf/AeVdADEMiKOeZrQnPEGmdGEtR3YaKhHFG4Q0QGtKHldhhLPk4pZdoEkvcg50nZ10qH4JiuQK' +
  'vo0O/w925wUO1oTLRjMMKB61NC5RodTqH3zK+tj7PBalrCBlAIKX6BEsDyFxbR6V0F8l614TkZ7VUFQYlTBYValSJrkdjcexdaXA/1fv67Lb' +
  'JgMrDD1j+i29/IX08d6ZWzYWEkH5POsVfCAlbPHbjOAILtmWE4nG3kphoEaJqtDUYBdIg2CMzqMUpMIUBukZg2KnqHrfsfbP07670eiwGMYs' +
  'G26OCnENBISKpyjkdhul2Vtqthnoi32i0RXKjhgUjTR0bsp4xlBjm7FL8KX2aqMGdHr6C8s0LerNelTgxd9wxYfStieKIASAcdY1CEtWP9ZJ' +
  'oWborbTE7l0dIzFgAvakSUjxHDz4kCXoxzy5iI6MgjBIuwoR4sMiG332fuzD403aOlHrH93Fc0IRSWHb3QVNNO1nZGrEo3nGcdZLBHM/eQo4' +
  'Z1du5x8S/mCCC+mp9FThmpwP38I4mAefTn2rzP4ykP01RSamwHi+vSR4nppNNwLH0WgD9ajlOFULI6livprcOG/fNAj1BezM9apz8SJupKm1' +
  'qtzJ9W7RVuKBxVGQfov/HMiZc9kbfMFa9cUFAgUAAAAAAOMEuaRECf6eAAGBBIAwAADL5gsqscRn+wIAAAAABFla';
