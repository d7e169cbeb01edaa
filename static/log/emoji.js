// @ts-check
// The emoji that the page offers, in groups, and how one finds them: by English and Chinese names at once, since people type
// what comes to them first. Which were used last is kept in this browser.

/** @typedef {{ emoji: string, names: string[] }} Emoji the first name is the one that is shown */

import { recentEmojiName as storageName } from '../parts/address.js'

const recentMax = 16

const listed = `
faces
😀 grin happy 笑 开心
😄 smile happy 微笑
😁 beaming 露齿笑
😂 joy tears laugh 笑哭
🤣 rofl laugh 大笑
😅 sweat relief 汗
😊 blush 脸红
🙂 slight 浅笑
🙃 upside 倒脸
😉 wink 眨眼
😍 heart-eyes love 爱心眼
🥰 loving love 喜爱
😘 kiss 亲亲
😋 yum tasty 好吃
😜 tongue silly 吐舌
🤪 zany crazy 疯
😎 cool sunglasses 酷
🤓 nerd 书呆子
🧐 monocle 琢磨
🤔 thinking hmm 思考
🤨 eyebrow doubt 怀疑
😐 neutral 面无表情
😏 smirk 得意
🙄 roll-eyes 白眼
😬 grimace 尴尬
😌 relieved 安心
😴 sleep tired 睡觉
🤤 drool 流口水
🤒 sick 生病
🤯 mind-blown 震惊
🥳 party celebrate 庆祝
🥺 pleading please 拜托
😢 cry sad 哭 难过
😭 sob sad 大哭
😱 scream 尖叫
😳 flushed 害羞
😡 angry 生气
🤬 swear 骂人
😞 sad disappointed 失望
😇 angel innocent 天使
🤗 hug 拥抱
🤫 quiet secret 嘘
🤡 clown 小丑
💀 skull dead 骷髅
👻 ghost 鬼
🤖 robot bot 机器人
💩 poop 便便
hands
👍 yes good thumbs-up 赞 好
👎 no bad thumbs-down 踩 差
👌 ok perfect 没问题
🙏 thanks please pray 谢谢 祈祷
👏 clap applause 鼓掌
🙌 hooray hands 万岁
👋 wave hello bye 你好 再见
🤝 handshake deal 握手
💪 strong muscle 加油 肌肉
✌️ peace victory 胜利
🤞 luck fingers-crossed 好运
🤘 rock horns 摇滚
👉 right point 右 指
👈 left point 左 指
👆 up point 上
👇 down point 下
✋ stop hand 停
👊 fist bump 拳头
🫡 salute 敬礼
🤷 shrug 耸肩
🤦 facepalm 捂脸
🙋 raise me 举手
👀 eyes look 看
🧠 brain 脑子
hearts
❤️ heart love 爱心 红心
🧡 orange-heart 橙心
💛 yellow-heart 黄心
💚 green-heart 绿心
💙 blue-heart 蓝心
💜 purple-heart 紫心
🖤 black-heart 黑心
💔 broken-heart 心碎
💯 hundred perfect 满分
✨ sparkles shiny 闪亮
⭐ star 星星
🔥 fire hot 火
🎉 tada party congratulations 恭喜 撒花
🎊 confetti 彩球
🎁 gift present 礼物
🎂 birthday cake 生日
🏆 trophy win 奖杯
🥇 gold first 金牌
nature
🐶 dog 狗
🐱 cat 猫
🐭 mouse 老鼠
🐻 bear 熊
🐼 panda 熊猫
🦊 fox 狐狸
🐸 frog 青蛙
🐵 monkey 猴子
🙈 see-no-evil 不看
🐷 pig 猪
🐔 chicken 鸡
🐧 penguin 企鹅
🦄 unicorn 独角兽
🐝 bee 蜜蜂
🐛 bug 虫子
🐢 turtle slow 乌龟
🐳 whale 鲸鱼
🌸 blossom flower 樱花
🌹 rose 玫瑰
🌲 tree 树
🍀 clover luck 四叶草
☀️ sun sunny 太阳 晴
🌙 moon night 月亮
🌈 rainbow 彩虹
☁️ cloud 云
🌧️ rain 雨
❄️ snow cold 雪 冷
⚡ lightning fast 闪电
food
☕ coffee tea 咖啡
🍵 tea 茶
🍺 beer 啤酒
🍻 cheers 干杯
🍷 wine 红酒
🍎 apple 苹果
🍌 banana 香蕉
🍉 watermelon 西瓜
🍓 strawberry 草莓
🍞 bread 面包
🍕 pizza 披萨
🍔 burger 汉堡
🍟 fries 薯条
🍜 noodles ramen 面条
🍚 rice 米饭
🥟 dumpling 饺子
🍰 cake 蛋糕
🍿 popcorn 爆米花
🍪 cookie 饼干
things
✅ done check yes 完成 对
❌ no cross wrong 错 叉
❓ question 问号
❗ important exclamation 感叹号
⚠️ warning 警告
🚀 rocket ship launch 火箭
💡 idea bulb 主意
📌 pin 图钉
📅 calendar date 日历
⏰ alarm clock 闹钟
⏳ wait hourglass 等待
📎 clip attachment 回形针
📝 note write 笔记
📚 books read 书
💻 laptop computer 电脑
📱 phone 手机
📷 camera photo 相机
🔒 lock secure 锁
🔑 key 钥匙
🔧 wrench fix 修理
🧪 test experiment 实验
💰 money 钱
🎵 music song 音乐
🎮 game play 游戏
⚽ football soccer 足球
🚗 car 汽车
✈️ plane travel 飞机
🏠 home house 家
🔗 link 链接
♻️ recycle 回收`

/** @type {{ name: string, emoji: Emoji[] }[]} */
export const groups = []
for (const line of listed.trim().split('\n')) {
  const [first = '', ...names] = line.split(' ')
  if (names.length === 0) groups.push({ name: first, emoji: [] })
  else groups.at(-1)?.emoji.push({ emoji: first, names })
}
const all = groups.flatMap(({ emoji }) => emoji)

/** Those that somebody may mean, the surest first. @param {string} typed @param {number} [most] @returns {Emoji[]} */
export function findEmoji(typed, most = all.length) {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return []
  const asNamed = all.filter(({ names }) => names.includes(wanted))
  const beginning = all.filter(({ names }) => names.some((name) => name.startsWith(wanted)))
  const within = all.filter(({ emoji, names }) => emoji === wanted || names.some((name) => name.includes(wanted)))
  return [...new Set([...asNamed, ...beginning, ...within])].slice(0, most)
}

/** What was used last here, the latest first. @returns {Emoji[]} */
export function recentEmoji() {
  try {
    const kept = JSON.parse(localStorage.getItem(storageName) ?? '[]')
    return Array.isArray(kept)
      ? kept.flatMap((one) => all.find(({ emoji }) => emoji === one) ?? []).slice(0, recentMax)
      : []
  } catch {
    return [] // storage is forbidden, or what is there is not ours
  }
}

/** @param {string} emoji */
export function rememberEmoji(emoji) {
  const kept = [
    emoji,
    ...recentEmoji()
      .map((recent) => recent.emoji)
      .filter((recent) => recent !== emoji),
  ].slice(0, recentMax)
  try {
    localStorage.setItem(storageName, JSON.stringify(kept))
  } catch {
    // Storage is forbidden or full: nothing is remembered.
  }
}
